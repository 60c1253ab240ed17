/**
 * Bodies that wait at the balancer until a function reads them: its request can then be handed on with its body.
 *
 * The balancer asks without the body. If the function reads it, the first answer says so, and the request comes again,
 * with the word of that answer and the body; then the function goes on reading, and what it answers is the answer to
 * that. The function is called once and sees one request. `proxy/handing_on.ts` is the other side.
 */
import { BODY, HELD } from "./contract.ts";
import { say } from "./log_io.ts";

/** What answers a request. */
export type Answer = (request: Request) => Promise<Response>;

type Reader = ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;

export class HeldBodies {
  /** What takes the request that has the body, by the word that it comes with. */
  readonly #waiting = new Map<string, Answer>();
  readonly #answer: Answer;
  readonly #waitMs: number;

  /** `waitMs`: how long a body may take to come. */
  constructor(answer: Answer, waitMs: number) {
    this.#answer = answer;
    this.#waitMs = waitMs;
  }

  /** True while a body that was asked for is awaited. */
  get waits(): boolean {
    return this.#waiting.size > 0;
  }

  /** Answers a request, whether its body is held, is what was waited for, or neither. */
  respond(request: Request): Promise<Response> {
    const word = request.headers.get(BODY);
    if (word === null) return this.#answer(request);
    if (word === HELD) return this.#ask(request);
    const take = this.#waiting.get(word);
    if (take === undefined) return Promise.resolve(new Response("no such body\n", { status: 400 }));
    this.#waiting.delete(word);
    return take(request);
  }

  /** Calls the function with a body that is asked for when it is read. */
  #ask(request: Request): Promise<Response> {
    const { url, method } = request;
    const headers = new Headers(request.headers);
    headers.delete(BODY);
    // As with the runtime, their bodies are not for functions to read; they may still be handed on.
    if (method === "GET" || method === "HEAD") return this.#answer(new Request(url, { method, headers }));
    const first = Promise.withResolvers<Response>();
    const body = new HeldBody(() => {
      const word = crypto.randomUUID();
      const coming = this.#await(word, () => answered);
      first.resolve(new Response(null, { headers: { [BODY]: word } }));
      return coming;
    });
    const answered = this.#answer(body.attachTo(new Request(url, { method, headers, body: body.stream })));
    answered.then((response) => {
      body.answered(response);
      first.resolve(response);
    }, first.reject);
    return first.promise;
  }

  /** Resolves with the body that comes with the word, whose request gets the answer. */
  #await(word: string, answer: () => Promise<Response>): Promise<Reader> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(word);
        reject(new Error("the client is gone"));
      }, this.#waitMs);
      this.#waiting.set(word, ({ body }) => {
        clearTimeout(timer);
        resolve((body ?? new Blob().stream()).getReader());
        return answer();
      });
    });
  }
}

/** A body that is fetched when it is wanted, which it cannot be any more once an answer without it has begun. */
class HeldBody {
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly #fetch: () => Promise<Reader>;
  #reader: Promise<Reader> | null = null;
  /** The function has the stream in its hands, and may read it at any time. */
  #taken = false;
  #late = false;

  constructor(fetch: () => Promise<Reader>) {
    this.#fetch = fetch;
    this.stream = new ReadableStream({
      pull: async (controller) => {
        const { value, done } = await (await this.#want()).read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: async (reason) => await (await this.#reader)?.cancel(reason),
    }, { highWaterMark: 0 });
  }

  /** The request, which is watched for who takes its body. */
  attachTo(request: Request): Request {
    const get = () => {
      this.#taken = true;
      return this.stream;
    };
    return Object.defineProperty(request, "body", { get });
  }

  /** What a body that was taken is part of cannot be answered without it. */
  answered(response: Response): void {
    // An answer whose body is looked at has no length any more.
    if (this.#reader !== null) return;
    if (this.#taken && response.body !== null) this.#want().catch(() => {});
    else this.#late = true;
  }

  #want(): Promise<Reader> {
    if (this.#reader === null && this.#late) {
      const message = "the body of a request must be taken before it is answered";
      say("error", message);
      return Promise.reject(new TypeError(`Cannot read: ${message}`));
    }
    return this.#reader ??= this.#fetch();
  }
}
