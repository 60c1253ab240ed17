/**
 * Bodies that wait at the balancer until a function reads them: its request can then be handed on with its body.
 *
 * The balancer asks without the body. If the function reads it, the first answer says so, and the request comes again,
 * with the word of that answer and the body; then the function goes on reading, and what it answers is the answer to
 * that. The function is called once and sees one request. `proxy/handing_on.ts` is the other side.
 */
import { BODY, HELD } from "./contract.ts";

interface Waiting {
  /** Takes the request that has the body. */
  readonly take: (request: Request) => Promise<Response>;
}

/** What answers a request. */
export type Answer = (request: Request) => Promise<Response>;

export class HeldBodies {
  readonly #waiting = new Map<string, Waiting>();
  readonly #answer: Answer;
  readonly #waitMs: number;

  /** `waitMs`: how long a body may take to come. */
  constructor(answer: Answer, waitMs: number) {
    this.#answer = answer;
    this.#waitMs = waitMs;
  }

  /** Answers a request, whether its body is held, is what was waited for, or neither. */
  respond(request: Request): Promise<Response> {
    const word = request.headers.get(BODY);
    if (word === null) return this.#answer(request);
    if (word === HELD) return this.#ask(request);
    const waiting = this.#waiting.get(word);
    if (waiting === undefined) return Promise.resolve(new Response("no such body\n", { status: 400 }));
    this.#waiting.delete(word);
    return waiting.take(request);
  }

  /** Calls the function with a body that is asked for when it is read. */
  #ask(request: Request): Promise<Response> {
    const asked = Promise.withResolvers<Response>();
    let reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>> | null = null;
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: async (controller) => {
        reader ??= await this.#bodyOf(asked.resolve, () => answered);
        const { value, done } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: async (reason) => await reader?.cancel(reason),
    }, { highWaterMark: 0 });
    const headers = new Headers(request.headers);
    headers.delete(BODY);
    const answered = this.#answer(new Request(request.url, { method: request.method, headers, body }));
    return Promise.race([asked.promise, answered]);
  }

  /** Has the balancer send the body, whose request gets the function's answer. */
  #bodyOf(
    resolveFirst: (response: Response) => void,
    answer: () => Promise<Response>,
  ): Promise<ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>> {
    const word = crypto.randomUUID();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(word);
        reject(new Error("the client is gone"));
      }, this.#waitMs);
      this.#waiting.set(word, {
        take: (request) => {
          clearTimeout(timer);
          resolve((request.body ?? new Blob().stream()).getReader());
          return answer();
        },
      });
      resolveFirst(new Response(null, { headers: { [BODY]: word } }));
    });
  }
}
