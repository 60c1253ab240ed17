/**
 * Questions and answers over the link: each side asks, and each answer finds its question. Pure but for the timers that
 * it is handed.
 *
 * Bounded: so many questions wait at a time on either side, and one that is not answered in time is given up.
 */
import { reasonOf } from "../base/reason.ts";
import { Assembler, cut, type Part } from "./parts.ts";

/** Questions under way, of each side. */
export const MAX_ASKED = 64;

export type TalkMessage = Part & { readonly kind: "ask" | "answer"; readonly id: number };

export interface TalkOptions {
  readonly send: (message: TalkMessage) => void;
  /** Answers a question of the other side; what it throws is told as its message. */
  readonly answer: (question: unknown) => Promise<unknown>;
  /** Calls back after `ms`; the answer takes that back. */
  readonly after: (ms: number, call: () => void) => () => void;
}

interface Asked {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly cancelTimer: () => void;
}

export class Talk {
  readonly #options: TalkOptions;
  readonly #asked = new Map<number, Asked>();
  readonly #assemblers = { ask: new Assembler(), answer: new Assembler() };
  #answering = 0;
  #next = 0;

  constructor(options: TalkOptions) {
    this.#options = options;
  }

  /** The other side's answer. Rejects with what it said went wrong, or when it says nothing within `withinMs`. */
  ask(question: unknown, withinMs: number): Promise<unknown> {
    if (this.#asked.size >= MAX_ASKED) return Promise.reject(new Error("too many questions are under way"));
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      const cancelTimer = this.#options.after(withinMs, () => {
        this.#settle(id)?.reject(new Error(`no answer within ${withinMs / 1000} s`));
      });
      this.#asked.set(id, { resolve, reject, cancelTimer });
      this.#send("ask", id, question);
    });
  }

  /** A message of the other side. What does not fit together is passed over: whoever asked waits no longer than he said. */
  onMessage(message: TalkMessage): void {
    const { kind, id } = message;
    const whole = this.#assemblers[kind].add(id, message);
    if (whole === null || "reason" in whole) return;
    const value = contentOf(whole.text);
    if (value === null) return;
    if (kind === "ask") return void this.#answer(id, value.question);
    const asked = this.#settle(id);
    if (value.problem === undefined) asked?.resolve(value.answer);
    else asked?.reject(new Error(value.problem));
  }

  /** The other side is no more. */
  end(reason: string): void {
    for (const id of [...this.#asked.keys()]) this.#settle(id)?.reject(new Error(reason));
  }

  async #answer(id: number, question: unknown): Promise<void> {
    if (this.#answering >= MAX_ASKED) {
      return this.#send("answer", id, undefined, "too many questions are under way");
    }
    this.#answering++;
    try {
      this.#send("answer", id, await this.#options.answer(question));
    } catch (error) {
      this.#send("answer", id, undefined, reasonOf(error));
    } finally {
      this.#answering--;
    }
  }

  #send(kind: TalkMessage["kind"], id: number, value: unknown, problem?: string): void {
    const content = problem !== undefined
      ? { problem }
      : kind === "ask"
      ? { question: value }
      : { answer: value };
    for (const part of cut(kind, JSON.stringify(content))) this.#options.send({ kind, id, ...part });
  }

  #settle(id: number): Asked | undefined {
    const asked = this.#asked.get(id);
    asked?.cancelTimer();
    this.#asked.delete(id);
    return asked;
  }
}

interface Content {
  readonly question?: unknown;
  readonly answer?: unknown;
  readonly problem?: string | undefined;
}

function contentOf(text: string): Content | null {
  try {
    const content: unknown = JSON.parse(text);
    return typeof content === "object" ? content : null;
  } catch {
    return null;
  }
}
