/**
 * The scripted ends of a simulation: a client that sends and reads answers, and servers that answer as told.
 */
import {
  type Dial,
  type Dialer,
  type DialHandler,
  type DialTerms,
  TlsFailure,
} from "../../mod/net/stream.ts";
import { type ProxyHeader, readProxyHeader } from "../../mod/net/proxy_protocol.ts";
import { HttpText, type Message, statusOf } from "./http_text.ts";
import type { Network } from "./network.ts";
import { type Peer, SimStream } from "./stream.ts";

/** One connection of an HTTP client. */
export class SimClient {
  readonly reader = new HttpText([]);
  /** The connection ended, orderly or not. */
  ended = false;

  constructor(readonly peer: Peer) {
    peer.handler = {
      onData: (view) => this.reader.feed(view),
      onEnd: () => {
        this.ended = true;
        this.reader.end();
      },
    };
  }

  /** Sends a request, or a part of one; `method`: when an answer to it is to be read. */
  send(what: string | Uint8Array | number, method?: string): this {
    if (method !== undefined) this.reader.methods!.push(method);
    this.peer.send(what);
    return this;
  }

  /** Sends a whole request. */
  request(method: string, path: string, more = "", body = ""): this {
    return this.send(`${method} ${path} HTTP/1.1\r\nHost: a.test\r\n${more}\r\n${body}`, method);
  }

  get(path: string, more = ""): this {
    return this.request("GET", path, more);
  }

  get answers(): readonly Message[] {
    return this.reader.messages;
  }

  get statuses(): number[] {
    return this.answers.map((answer) => statusOf(answer.line));
  }
}

/** One connection to a server, as the server sees it. */
export class ServedConnection {
  readonly reader = new HttpText(null);
  /** Number of requests so far. */
  requests = 0;
  /** The PROXY header that it began with. */
  header: ProxyHeader | null = null;
  #begun: Uint8Array = new Uint8Array(0);

  constructor(readonly server: SimServer, readonly peer: Peer) {
    this.reader.onHead = (head) => server.onHead(this, head.line);
    this.reader.onMessage = (request) => {
      this.requests++;
      server.seen.push(request);
      server.answer(request, this);
    };
    peer.handler = {
      onData: (view) => {
        if (!server.expectsHeader || this.header !== null) return this.#take(view);
        this.#begun = Uint8Array.of(...this.#begun, ...view);
        const read = readProxyHeader(this.#begun, 0, this.#begun.length);
        if (read.kind === "bad") throw new Error(`Tandem sent no PROXY header: ${read.problem}`);
        if (read.kind === "more") return;
        this.header = read.header;
        this.#take(this.#begun.subarray(read.header.size));
      },
      onEnd: () => server.onEnd(this),
    };
  }

  send(what: string | Uint8Array | number): void {
    this.peer.send(what);
  }

  #take(view: Uint8Array): void {
    if (view.length > 0) this.server.onBytes?.(view, this) ?? this.reader.feed(view);
  }
}

export type Answering = (request: Message, connection: ServedConnection) => void;

/** A response with a length. */
export function reply(status: number, body: string, more = ""): string {
  return `HTTP/1.1 ${status} Some Reason\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`;
}

/** Says which server it is, what was asked and what came with it. */
export const echo: Answering = (request, connection) => {
  const [method, path] = request.line.split(" ");
  const body = `${connection.server.name} ${method} ${path} ${request.body} ${request.trailer}`;
  const size = `Content-Length: ${body.length}\r\n`;
  connection.send(`HTTP/1.1 200 OK\r\n${size}\r\n${method === "HEAD" ? "" : body}`);
};

export class SimServer {
  accepts: "yes" | "refuses" | "silent" | "untrusted" = "yes";
  answer: Answering = echo;
  onHead: (connection: ServedConnection, line: string) => void = () => {};
  onConnect: (connection: ServedConnection) => void = () => {};
  /** The other side ended. By default the server then ends too. */
  onEnd: (connection: ServedConnection) => void = ({ peer }) => peer.end();
  /** Connections begin with a PROXY header. */
  expectsHeader = false;
  /** Takes the bytes instead of the HTTP reader. */
  onBytes: ((view: Uint8Array, connection: ServedConnection) => true) | null = null;
  /** Complete requests. */
  readonly seen: Message[] = [];
  readonly connections: ServedConnection[] = [];
  /** Attempts to connect, successful or not. */
  dials = 0;

  constructor(readonly name: string, readonly host: string, readonly port: number) {}

  /** Connections that are open from the balancer's side. */
  get open(): ServedConnection[] {
    return this.connections.filter(({ peer }) => !peer.stream.closed);
  }
}

/** Connects to simulated servers by their port. */
export class SimDialer implements Dialer {
  constructor(readonly network: Network, readonly servers: readonly SimServer[]) {}

  dial(_host: string, port: number, handler: DialHandler, { preface }: DialTerms = {}): Dial {
    const server = this.servers.find((each) => each.port === port)!;
    server.dials++;
    let cancelled = false;
    this.network.later(() => {
      if (cancelled || server.accepts === "silent") return;
      if (server.accepts === "untrusted") {
        return handler.onFailed(new TlsFailure("the server's certificate has expired", true));
      }
      if (server.accepts === "refuses") return handler.onFailed(new Error("Connection refused"));
      const stream = new SimStream(this.network, server.host, port);
      const connection = new ServedConnection(server, stream.peer);
      server.connections.push(connection);
      server.onConnect(connection);
      if (preface) stream.write(preface);
      handler.onOpen(stream);
    });
    return {
      cancel() {
        cancelled = true;
      },
    };
  }
}
