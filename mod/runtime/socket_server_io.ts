/**
 * HTTP on a Unix socket that knows who asks: the user of the process at the other end, as the kernel says. The
 * runtime's own server does not tell, and serves where the one that does cannot.
 *
 * Requests and answers are small: both are held whole.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { withLibc } from "../base/libc_io.ts";
import { incomingBody } from "./incoming_body_io.ts";
import { stopServer } from "./stop_server_io.ts";

/** As for the API: a configuration may be long. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;
/** Our answers are made at once, so that whoever is not done by then never will be. */
const CLOSE_MS = 1000;

/** Answers a request; `peer`: who asks, in words; absent: nobody knows. */
export type SocketHandler = (
  request: Request,
  from: { readonly peer?: string },
) => Response | Promise<Response>;

export interface SocketServer {
  /** Stops accepting and answers what has come; what is left after `patienceMs` is cut off (default: a second). */
  close(patienceMs?: number): Promise<void>;
}

/**
 * Listens at a path, with the rights that the mask leaves: it is bound when the call returns. `userName`: what a user is
 * called. Rejects when it cannot.
 */
export function listenAt(
  path: string,
  handler: SocketHandler,
  userName: (uid: number) => string,
): Promise<SocketServer> {
  if (knowsPaths()) return KnowingServer.listen(path, handler, userName);
  const server = Deno.serve({ path, onListen() {} }, (request) => handler(request, {}));
  return Promise.resolve({ close: (patienceMs) => stopServer(server, patienceMs) });
}

/** Before 2.9 the server of `node:http` takes a path for any port of TCP (2.6 was seen to). */
function knowsPaths(): boolean {
  const [major = 0, minor = 0] = Deno.version.deno.split(".").map(Number);
  return major > 2 || major === 2 && minor >= 9;
}

class KnowingServer implements SocketServer {
  readonly #server: Server;
  readonly #connections = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
    server.on("connection", (connection) => {
      this.#connections.add(connection);
      connection.on("close", () => this.#connections.delete(connection));
    });
  }

  static async listen(
    path: string,
    handler: SocketHandler,
    userName: (uid: number) => string,
  ): Promise<SocketServer> {
    const server = createServer((incoming, outgoing) => {
      const uid = peerUid(incoming);
      const from = uid === null ? {} : { peer: userName(uid) };
      answer(incoming, outgoing, (request) => handler(request, from)).catch(() => incoming.socket.destroy());
    });
    const opened = new KnowingServer(server);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once("error", reject);
    server.listen(path, resolve);
    await promise;
    return opened;
  }

  async close(patienceMs = CLOSE_MS): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => {
      for (const connection of this.#connections) connection.destroy();
      resolve();
    }, patienceMs);
    await promise;
    clearTimeout(timer);
  }
}

async function answer(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  handler: (request: Request) => Response | Promise<Response>,
): Promise<void> {
  const whole = await incomingBody(incoming, MAX_BODY_BYTES);
  if (whole === null) {
    outgoing.writeHead(413, { connection: "close" }).end();
    return;
  }
  const { method = "GET", url = "/" } = incoming;
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) {
    // Of a body that is whole here.
    if (value !== undefined && name !== "transfer-encoding") headers.set(name, String(value));
  }
  const body = whole.byteLength === 0 || method === "GET" || method === "HEAD" ? null : whole;
  const response = await handler(new Request(new URL(url, "http://localhost"), { method, headers, body }));
  const bytes = new Uint8Array(await response.arrayBuffer());
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  outgoing.end(method === "HEAD" ? undefined : bytes);
}

const SOL_SOCKET = 1;
const SO_PEERCRED = 17;

/** The user at the other end (unix(7)); null: the runtime or the kernel does not tell. */
function peerUid({ socket }: IncomingMessage): number | null {
  const { fd } = (socket as { readonly _handle?: { readonly fd?: unknown } })._handle ?? {};
  if (typeof fd !== "number" || fd < 0) return null;
  const credentials = new Uint32Array(3);
  const size = Uint32Array.of(credentials.byteLength);
  try {
    const result = withLibc((libc) => libc.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, credentials, size));
    // Process, user, group.
    return result === 0 ? credentials[1]! : null;
  } catch {
    return null;
  }
}
