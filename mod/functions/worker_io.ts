/**
 * The thread that runs a function: loads its code, serves it on a port of its own, and says that it is alive.
 *
 * The entry file of a thread, started by `process_io.ts` with the permissions that the function has. It is done with its
 * own affairs (the port is known, the console is replaced) before any of the function's code runs.
 */
import { contextOf, type FunctionContext } from "./context_io.ts";
import { HeldBodies } from "./held_bodies_io.ts";
import { replaceConsole, say } from "./log_io.ts";
import { REFUSED_BUILTINS } from "./specifier.ts";
import { countWebSockets } from "./web_sockets_io.ts";

/** Told to the process, through a port that the code never sees. */
export type FromThread =
  | { readonly kind: "listening"; readonly port: number }
  | { readonly kind: "ready" }
  | { readonly kind: "beat" }
  /** The code wants to end, or cannot be loaded. */
  | { readonly kind: "failed" }
  | { readonly kind: "stopped" };

/** `load` comes after `begin`, once the process has given up all that it does not need. */
export type ToThread =
  | {
    readonly kind: "begin";
    readonly name: string;
    readonly next: readonly string[];
    readonly timeoutMs: number;
    readonly beatMs: number;
  }
  | { readonly kind: "load"; readonly code: string }
  | { readonly kind: "stop" };

type Settings = Extract<ToThread, { kind: "begin" }>;
type Fetch = (request: Request, context: FunctionContext) => unknown;
type Tell = (message: FromThread) => void;

/** So long nobody asks before the port is closed: what was sent before the balancer knew better is still answered. */
const QUIET_MS = 200;

/** What `addressOf` has made, as the runtime shows it. */
const OWN_ADDRESS = /data:text\/javascript[^\s):]*/g;
/** Lines of a stack that are ours or the runtime's. */
const FOREIGN_FRAME = /^ +at .*(\/functions\/\w+_io\.ts|\(?ext:)/;

class FunctionServer {
  readonly #tell: Tell;
  readonly #settings: Settings;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #held: HeldBodies;
  readonly #webSockets = countWebSockets();
  #fetch: Fetch | null = null;
  /** Requests that have come. */
  #asked = 0;

  constructor(settings: Settings, tell: Tell) {
    this.#settings = settings;
    this.#tell = tell;
    const answer = (request: Request) => this.#answer(request);
    const held = this.#held = new HeldBodies(answer, settings.timeoutMs);
    const respond = settings.next.length === 0 ? answer : (request: Request) => held.respond(request);
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
      this.#asked++;
      return respond(asSeenByClient(request));
    });
    setInterval(() => tell({ kind: "beat" }), settings.beatMs);
    addEventListener("unhandledrejection", (event) => {
      event.preventDefault();
      say("error", `a promise was rejected and nobody cared: ${this.#describe(event.reason)}`);
    });
    tell({ kind: "listening", port: this.#server.addr.port });
  }

  async load(code: string): Promise<void> {
    try {
      const module = await import(addressOf(code));
      const own = module.default;
      if (typeof own?.fetch !== "function") {
        throw new Error("it must have `export default { fetch(request) {} }`");
      }
      this.#fetch = (request, context) => own.fetch(request, context);
      this.#tell({ kind: "ready" });
    } catch (error) {
      say("error", `cannot be loaded: ${this.#describe(error)}`);
      this.#tell({ kind: "failed" });
    }
  }

  /** Ends once everything that is under way is done. */
  async stop(): Promise<void> {
    let asked: number;
    do {
      asked = this.#asked;
      await new Promise((done) => setTimeout(done, QUIET_MS));
    } while (asked !== this.#asked || this.#held.waits || this.#webSockets() > 0);
    await this.#server.shutdown();
    this.#tell({ kind: "stopped" });
  }

  async #answer(request: Request): Promise<Response> {
    if (this.#fetch === null) return new Response("the function is not loaded yet\n", { status: 503 });
    try {
      const response = await this.#fetch(request, contextOf(request, this.#settings.next));
      if (response instanceof Response) return ownWord(response);
      const returned = response === null ? "null" : typeof response;
      say("error", `${told(request)}: fetch must return a Response, and returned ${returned}`);
    } catch (error) {
      say("error", `${told(request)}: ${this.#describe(error)}`);
    }
    return new Response("the function failed\n", { status: 500 });
  }

  /** An error with its stack, as far as that is the function's. */
  #describe(error: unknown): string {
    if (!(error instanceof Error)) return String(error);
    const lines = (error.stack ?? error.message).replace(OWN_ADDRESS, this.#settings.name).split("\n");
    return lines.filter((line) => !FOREIGN_FRAME.test(line)).join("\n");
  }
}

/** A request in the log: `GET /path`. */
function told({ method, url }: Request): string {
  return `${method} ${new URL(url).pathname}`;
}

/** Code as a module that can be imported; without what could end an address in the stack of an error. */
function addressOf(code: string): string {
  return "data:text/javascript;charset=utf-8," + encodeURIComponent(code).replaceAll(")", "%29");
}

/** What a server that the function asked says of handing on is not the function's word. */
function ownWord(response: Response): Response {
  if (response.url === "") return response;
  const { status, statusText, body } = response;
  const headers = new Headers(response.headers);
  for (const name of [...headers.keys()]) if (name.startsWith("tandem-")) headers.delete(name);
  return new Response(body, { status, statusText, headers });
}

/** Where the client asked by https, the address says so; a WebSocket needs the request that came. */
function asSeenByClient(request: Request): Request {
  if (request.headers.get("x-forwarded-proto") !== "https" || request.headers.has("upgrade")) return request;
  const { url, method, headers, body, signal } = request;
  return new Request(url.replace(/^http:/, "https:"), { method, headers, body, signal });
}

/** What could run other code than what was bundled, where imports of the same are refused; and ends of the thread alone. */
function takeAway(tell: Tell): void {
  // The runtime keeps caches in files, and asks for no permission.
  for (const name of ["Worker", "caches", "Cache", "CacheStorage"]) Reflect.deleteProperty(globalThis, name);
  const builtin = process.getBuiltinModule;
  process.getBuiltinModule =
    ((name: string) =>
      REFUSED_BUILTINS.has(name.startsWith("node:") ? name : `node:${name}`)
        ? undefined
        : builtin.call(process, name)) as typeof builtin;
  const end = () => {
    say("error", "the function has ended its process");
    tell({ kind: "failed" });
    // Nothing of it is to run on.
    throw new Error("the process ends");
  };
  for (const [owner, name] of [[Deno, "exit"], [process, "exit"], [globalThis, "close"]] as const) {
    Reflect.set(owner, name, end);
  }
}

function begin(port: MessagePort): void {
  const tell: Tell = (message) => port.postMessage(message);
  replaceConsole();
  takeAway(tell);
  let server: FunctionServer;
  port.onmessage = ({ data }: MessageEvent<ToThread>) => {
    if (data.kind === "begin") server = new FunctionServer(data, tell);
    else if (data.kind === "load") void server.load(data.code);
    else void server.stop();
  };
}

addEventListener("message", (event) => begin((event as MessageEvent).ports[0]!), { once: true });
