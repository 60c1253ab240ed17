/**
 * The HTTP server of the admin address: bounded in connections, in all and of one address, and in the time that a
 * request may take to come, so that a stranger cannot keep out those who may.
 *
 * The runtime's own server has no such bounds; it serves where the one that has them cannot share a port.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";
import { incomingBody } from "./incoming_body_io.ts";
import { stopServer } from "./stop_server_io.ts";

export const LIMITS = {
  /** Pages that are open, scrapers, and scripts; each may keep a connection. */
  connections: 256,
  ofOneAddress: 64,
  /** From the start of a connection, or from the first byte of its next head. nginx: 60 s. */
  headMs: 5000,
  requestMs: 10_000,
  keepAliveMs: 15_000,
  /** Nothing is sent or read for so long; a page that is open gets something every second. */
  silentMs: 60_000,
  /** How often those that are late are looked for. */
  lookMs: 1000,
};
/** As for the API. */
const MAX_BODY_BYTES = 64 * 1024;
/** Our answers are made at once, so that whoever is not done by then never will be. */
const CLOSE_MS = 1000;

export type AdminHandler = (
  request: Request,
  from: { readonly peer: string },
) => Response | Promise<Response>;

/** PEM. */
export interface AdminCertificate {
  readonly cert: string;
  readonly key: string;
}

export interface AdminHttp {
  /** Ends the streams that are open, as their readers may not be who may read any more. */
  endStreams(): void;
  /** Stops accepting and answers what has come; streams end at once, what else is left after a second is cut off. */
  close(): Promise<void>;
}

/** Listens; the address may be shared with another of our own. Rejects when it cannot be had. */
export async function serveAdmin(
  hostname: string,
  port: number,
  certificate: AdminCertificate | null,
  handler: AdminHandler,
  limits = LIMITS,
): Promise<AdminHttp> {
  if (!hasBounds()) return unbounded(hostname, port, certificate, handler);
  const server = new BoundedServer(certificate, handler, limits);
  await server.listen(hostname, port);
  return server;
}

/** Before 2.9 the server of `node:http` knows no connections (2.6 was seen to). */
function hasBounds(): boolean {
  const [major = 0, minor = 0] = Deno.version.deno.split(".").map(Number);
  return major > 2 || major === 2 && minor >= 9;
}

function unbounded(
  hostname: string,
  port: number,
  certificate: AdminCertificate | null,
  handler: AdminHandler,
): AdminHttp {
  const options = { hostname, port, reusePort: true, onListen() {} };
  const server = Deno.serve(
    certificate === null ? options : { ...options, ...certificate },
    (request: Request, info: Deno.ServeHandlerInfo) =>
      handler(request, { peer: (info.remoteAddr as Deno.NetAddr).hostname }),
  );
  return { endStreams() {}, close: () => stopServer(server) };
}

class BoundedServer implements AdminHttp {
  readonly #server: Server;
  readonly #handler: AdminHandler;
  readonly #ofOneAddress: number;
  /** By the address at the other end. */
  readonly #connections = new Map<string, Set<Socket>>();
  readonly #streams = new Set<ServerResponse>();

  constructor(certificate: AdminCertificate | null, handler: AdminHandler, limits: typeof LIMITS) {
    this.#handler = handler;
    this.#ofOneAddress = limits.ofOneAddress;
    const options = {
      headersTimeout: limits.headMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: limits.keepAliveMs,
      connectionsCheckingInterval: limits.lookMs,
    };
    const listener = (incoming: IncomingMessage, outgoing: ServerResponse) =>
      void this.#answer(incoming, outgoing).catch(() => incoming.socket.destroy());
    const server = this.#server = certificate === null
      ? createServer(options, listener)
      : createTlsServer({ ...options, ...certificate, handshakeTimeout: limits.headMs }, listener);
    server.maxConnections = limits.connections;
    server.timeout = limits.silentMs;
    server.on("connection", (socket: Socket) => this.#admit(socket));
  }

  listen(host: string, port: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once("error", reject);
    // Not in the types of the runtime yet.
    this.#server.listen({ host, port, reusePort: true } as { host: string; port: number }, resolve);
    return promise;
  }

  endStreams(): void {
    for (const outgoing of this.#streams) outgoing.destroy();
  }

  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    this.#server.closeIdleConnections();
    this.endStreams();
    const timer = setTimeout(() => {
      for (const sockets of this.#connections.values()) for (const socket of sockets) socket.destroy();
      resolve();
    }, CLOSE_MS);
    await promise;
    clearTimeout(timer);
  }

  #admit(socket: Socket): void {
    const from = socket.remoteAddress ?? "";
    const of = this.#connections.get(from) ?? new Set();
    if (of.size >= this.#ofOneAddress) return void socket.destroy();
    this.#connections.set(from, of.add(socket));
    socket.on("error", () => {});
    socket.on("close", () => {
      of.delete(socket);
      if (of.size === 0 && this.#connections.get(from) === of) this.#connections.delete(from);
    });
  }

  async #answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await incomingBody(incoming, MAX_BODY_BYTES);
    if (body === null) {
      outgoing.writeHead(413, { connection: "close" }).end();
      return;
    }
    const peer = incoming.socket.remoteAddress ?? "somewhere";
    const response = await this.#handler(requestOf(incoming, body), { peer });
    // Whoever may not ask is not kept.
    const refused = response.status === 401 ? { connection: "close" } : {};
    outgoing.writeHead(response.status, { ...Object.fromEntries(response.headers), ...refused });
    if (response.body === null || incoming.method === "HEAD") {
      await response.body?.cancel();
      outgoing.end();
      return;
    }
    this.#streams.add(outgoing);
    try {
      await pass(response.body, outgoing);
    } finally {
      this.#streams.delete(outgoing);
    }
  }
}

function requestOf(incoming: IncomingMessage, body: ArrayBuffer): Request {
  const { method = "GET", url = "/" } = incoming;
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) {
    // Of a body that is whole here, and whose length the API wants to know all the same.
    if (value !== undefined && !name.startsWith(":")) headers.set(name, String(value));
  }
  const isEmpty = body.byteLength === 0 || method === "GET" || method === "HEAD";
  const asked = new URL(url.startsWith("/") ? `http://${headers.get("host") ?? "localhost"}${url}` : url);
  return new Request(asked, { method, headers, body: isEmpty ? null : body });
}

/** As fast as the other end reads, and until it goes. */
async function pass(body: ReadableStream<Uint8Array>, outgoing: ServerResponse): Promise<void> {
  const reader = body.getReader();
  const { promise: gone, resolve } = Promise.withResolvers<null>();
  outgoing.on("close", () => resolve(null));
  try {
    for (;;) {
      const read = await Promise.race([reader.read(), gone]);
      if (read === null || read.done) break;
      if (outgoing.write(read.value)) continue;
      const { promise: drained, resolve } = Promise.withResolvers<void>();
      outgoing.once("drain", resolve);
      if (await Promise.race([drained, gone]) === null) break;
    }
    outgoing.end();
  } finally {
    await reader.cancel();
  }
}
