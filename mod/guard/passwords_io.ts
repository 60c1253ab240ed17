/**
 * Checks passwords in a thread of its own, made with the first of them: a hash takes a tenth of a second, in which a
 * data worker would serve nobody. What waits is bounded.
 */
import type { Passwords } from "./identity.ts";

/** More would wait for longer than clients do. */
const MOST_WAITING = 64;

export interface PasswordJob {
  readonly id: number;
  readonly hash: string;
  readonly password: string;
}

export interface PasswordResult {
  readonly id: number;
  readonly good: boolean;
}

export class PasswordThread implements Passwords {
  readonly #onError: (error: unknown) => void;
  readonly #waiting = new Map<number, (good: boolean | null) => void>();
  #thread: Worker | null = null;
  #last = 0;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  check(hash: string, password: string, done: (good: boolean | null) => void): boolean {
    if (this.#waiting.size >= MOST_WAITING) return false;
    this.#thread ??= this.#start();
    const id = ++this.#last;
    this.#waiting.set(id, done);
    this.#thread.postMessage({ id, hash, password } satisfies PasswordJob);
    return true;
  }

  close(): void {
    this.#thread?.terminate();
    this.#thread = null;
    this.#waiting.clear();
  }

  #start(): Worker {
    const entry = new URL("./password_worker_io.ts", import.meta.url);
    const thread = new Worker(entry.href, { type: "module", name: "passwords" });
    thread.onmessage = ({ data: { id, good } }: MessageEvent<PasswordResult>) => {
      const done = this.#waiting.get(id);
      this.#waiting.delete(id);
      done?.(good);
    };
    thread.onerror = (event) => {
      event.preventDefault();
      this.#onError(new Error(`the thread that checks passwords ended: ${event.message}`));
      if (this.#thread === thread) this.#thread = null;
      const waiting = [...this.#waiting.values()];
      this.#waiting.clear();
      for (const done of waiting) done(null);
    };
    return thread;
  }
}
