/** Asks every second until Ctrl-C or until nobody reads the answers, and writes what `watch.ts` makes of them. */
import { GOOD } from "./command.ts";
import { type Answer, type Form, Watch } from "./watch.ts";

const EVERY_MS = 1000;

export interface WatchOptions {
  readonly form: Form;
  /** Of the terminal; null: there is none. */
  readonly rows: () => number | null;
  readonly ask: () => Promise<Answer>;
  /** False: whoever read it has gone. */
  readonly out: (text: string) => boolean;
}

/** Gives the exit code: however long the node was silent, the watch itself did what it was asked for. */
export async function watch({ form, rows, ask, out }: WatchOptions): Promise<number> {
  const view = new Watch(form);
  const { promise: ended, resolve: end } = Promise.withResolvers<"ended">();
  const stop = () => end("ended");
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) Deno.addSignalListener(signal, stop);
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    for (;;) {
      const askedAt = performance.now();
      const answer = await Promise.race([ask(), ended]);
      if (answer === "ended" || !out(view.show(answer, Date.now(), rows()))) return GOOD;
      const { promise: next, resolve } = Promise.withResolvers<void>();
      timer = setTimeout(resolve, Math.max(0, EVERY_MS - (performance.now() - askedAt)));
      if (await Promise.race([next, ended]) === "ended") return GOOD;
    }
  } finally {
    clearTimeout(timer);
    for (const signal of signals) Deno.removeSignalListener(signal, stop);
  }
}
