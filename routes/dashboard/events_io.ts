/**
 * The dashboard's view of the node once a second, as server-sent events, to whoever has the page open; nobody is looked
 * for while nobody has.
 */
import type { Desk } from "../../mod/runtime/desk.ts";
import { History } from "./history.ts";
import { type Views, views } from "./view.tsx";

const LOOK_MS = 1000;
/** A desk that does not answer in time is told as one that does not answer. */
const ANSWER_MS = 800;
/** Pages that may be open at a time. */
const MOST_PAGES = 32;

/** Views that wait for one page. */
const MOST_WAITING = 4;

const encoder = new TextEncoder();

export class Events {
  readonly #desk: Desk;
  readonly #history = new History();
  readonly #pages = new Set<ReadableStreamDefaultController<Uint8Array>>();
  #timer: ReturnType<typeof setInterval> | undefined;
  /** Pages that have not all the points: they have just been opened, or did not read in time. */
  readonly #behind = new Set<ReadableStreamDefaultController<Uint8Array>>();
  #views: Views | null = null;
  #looking = false;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** A stream of events for one page; null: too many are open. */
  open(): ReadableStream<Uint8Array> | null {
    if (this.#pages.size >= MOST_PAGES) return null;
    let page: ReadableStreamDefaultController<Uint8Array> | undefined;
    return new ReadableStream<Uint8Array>({
      // Not at the start: an answer that nobody reads, to HEAD say, is not cancelled either.
      pull: (controller) => {
        if (page !== undefined) return;
        page = controller;
        this.#pages.add(page);
        if (this.#views !== null && this.#timer !== undefined) page.enqueue(this.#event(this.#views, true));
        else this.#behind.add(page);
        this.#timer ??= setInterval(() => void this.#look(), LOOK_MS);
        void this.#look();
      },
      cancel: () => {
        if (page !== undefined) this.#forget(page);
      },
    }, { highWaterMark: 0 });
  }

  #forget(page: ReadableStreamDefaultController<Uint8Array>): void {
    this.#pages.delete(page);
    this.#behind.delete(page);
    if (this.#pages.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const [node, keeper] = await Promise.all([inTime(this.#desk.node()), inTime(this.#desk.keeper())]);
    this.#looking = false;
    const now = Date.now();
    if (node !== null) this.#history.add(now, node);
    const shown = this.#views = views({ node, keeper, history: this.#history, now });
    const [news, all] = [this.#event(shown, false), this.#behind.size > 0 ? this.#event(shown, true) : null];
    for (const page of this.#pages) {
      // A page that does not read is given nothing more to keep.
      if ((page.desiredSize ?? 0) <= -MOST_WAITING) this.#behind.add(page);
      else page.enqueue(this.#behind.delete(page) ? all! : news);
    }
  }

  /** `whole`: with all points, instead of the last one. */
  #event(views: Views, whole: boolean): Uint8Array {
    const { points } = this.#history;
    const event = { ...views, whole, points: whole ? points : points.slice(-1) };
    return encoder.encode(`data: ${JSON.stringify(event)}\n\n`);
  }
}

/** Null: it cannot answer, or not in time. */
async function inTime<T>(answer: Promise<T>): Promise<T | null> {
  const { promise: late, resolve } = Promise.withResolvers<null>();
  const timer = setTimeout(() => resolve(null), ANSWER_MS);
  try {
    return await Promise.race([answer.catch(() => null), late]);
  } finally {
    clearTimeout(timer);
  }
}
