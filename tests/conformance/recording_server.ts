/**
 * A server on a raw socket that records what reaches it and answers what it is told to, however wrong.
 * It reads requests with `http_text.ts`, so anything that is not plain HTTP/1.1 shows as a problem.
 */
import { type Message, takeMessage, values } from "./http_text.ts";
import { RawSocket } from "./raw_socket.ts";

/** Between the parts of a reply, so that they arrive apart. */
const PART_PAUSE_MS = 15;

/** What the server does with a request. */
export interface Script {
  /** Raw bytes to answer with; several are sent with a pause between; null: a 200 whose body is the target. */
  readonly reply: readonly string[] | null;
  /** Answers as soon as the head is there, without reading the body. */
  readonly atHead: boolean;
  readonly thenClose: boolean;
}

const PLAIN: Script = { reply: null, atHead: false, thenClose: false };
/** Requests that check what came before; they are always answered plainly. */
const CONTROL_TARGET = /^\/(probe-\d+|after)$/;

export class RecordingServer {
  readonly requests: Message[] = [];
  /** What was wrong with bytes that are no request. */
  readonly problems: string[] = [];
  /** Bytes of connections now closed that were not (or not yet) a request. */
  readonly #remains: string[] = [];
  #script = PLAIN;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  /** Open connections, and how many of the bytes received on each were requests. */
  readonly #sockets = new Map<RawSocket, number>();
  readonly #work = new Set<Promise<void>>();

  constructor() {
    this.#track(this.#accept());
  }

  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  /** Forgets what was recorded and answers by `script` from now on. */
  begin(script: Script): void {
    this.requests.length = this.problems.length = this.#remains.length = 0;
    this.#script = script;
  }

  /** Bytes that were not (or not yet) a request, of connections open and closed. */
  leftovers(): string[] {
    const unread = [...this.#sockets].map(([socket, used]) => socket.received.slice(used));
    return [...this.#remains, ...unread].filter((text) => text !== "");
  }

  async close(): Promise<void> {
    this.#listener.close();
    await Promise.all([...this.#sockets.keys()].map((socket) => socket.close()));
    await Promise.all(this.#work);
  }

  #track(work: Promise<void>): void {
    this.#work.add(work);
    work.finally(() => this.#work.delete(work));
  }

  async #accept(): Promise<void> {
    for (;;) {
      let conn: Deno.TcpConn;
      try {
        conn = await this.#listener.accept();
      } catch (error) {
        // A connection that was reset before it was accepted; anything else is the listener's end.
        if (error instanceof Deno.errors.NotConnected) continue;
        return;
      }
      const socket = new RawSocket(conn);
      this.#sockets.set(socket, 0);
      this.#track(this.#serve(socket).finally(() => this.#sockets.delete(socket)));
    }
  }

  async #serve(socket: RawSocket): Promise<void> {
    let used = 0;
    let open = true;
    while (open) {
      const script = this.#script;
      const size = socket.received.length;
      let taken;
      try {
        taken = this.#take(socket.received.slice(used), script);
      } catch (error) {
        this.problems.push(`${error}`);
        break;
      }
      if (taken === null) {
        if (socket.ended) break;
        await this.#continueIfAsked(socket, used, script);
        await socket.until(() => socket.received.length > size, Infinity);
        continue;
      }
      used += taken.used;
      this.#sockets.set(socket, used);
      this.requests.push(taken.message);
      open = await this.#answer(socket, taken.message, script);
    }
    if (socket.received.length > used) this.#remains.push(socket.received.slice(used));
    await socket.close();
  }

  /** The next request; `atHead`: its head alone is enough. */
  #take(text: string, script: Script): { message: Message; used: number } | null {
    const end = text.indexOf("\r\n\r\n");
    if (script.atHead && end >= 0) {
      const [first = "", ...lines] = text.slice(0, end).split("\r\n");
      if (!CONTROL_TARGET.test(target(first))) {
        const fields = lines.map((line) => line.split(": ", 2) as [string, string]);
        // What follows on this connection is the body, and is not looked at.
        return { message: { first, fields, body: "", trailers: [] }, used: text.length };
      }
    }
    const taken = takeMessage(text, { kind: "request" });
    return taken === null ? null : { message: taken.message, used: text.length - taken.rest.length };
  }

  /** RFC 9110 section 10.1.1: a server that wants the body says so. */
  async #continueIfAsked(socket: RawSocket, used: number, script: Script): Promise<void> {
    const text = socket.received.slice(used);
    if (script.atHead || !/\r\nexpect: 100-continue\r\n/i.test(text) || !text.endsWith("\r\n\r\n")) return;
    await socket.send("HTTP/1.1 100 Continue\r\n\r\n");
  }

  /** Sends the reply; false when the connection is over. */
  async #answer(socket: RawSocket, message: Message, script: Script): Promise<boolean> {
    const path = target(message.first);
    const scripted = !CONTROL_TARGET.test(path) && script.reply !== null;
    const body = message.first.startsWith("HEAD ") ? "" : path;
    const parts = scripted
      ? script.reply!
      : [`HTTP/1.1 200 OK\r\nContent-Length: ${path.length}\r\n\r\n${body}`];
    for (const [i, part] of parts.entries()) {
      if (i > 0) await new Promise((resolve) => setTimeout(resolve, PART_PAUSE_MS));
      await socket.send(part);
    }
    const closing = values(message, "connection").some((value) => value.toLowerCase() === "close");
    if ((!scripted || !script.thenClose) && !closing) return true;
    await socket.finish();
    // A reset would take back what was just sent, so the other side closes first.
    await socket.until(() => false, 200);
    return false;
  }
}

function target(first: string): string {
  return first.split(" ")[1] ?? "";
}
