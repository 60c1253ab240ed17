/** @jsxImportSource hono/jsx */
/**
 * The dashboard's view of the node once a second, as server-sent events, to whoever has the page open; nobody is looked
 * for while nobody has.
 */
import type { Desk } from "../../mod/runtime/desk.ts";
import { History } from "./history.ts";
import { View } from "./view.tsx";

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
  #last: Uint8Array | null = null;
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
        if (this.#last !== null && this.#timer !== undefined) page.enqueue(this.#last);
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
    this.#history.add(now, node, keeper);
    const html = (<View node={node} keeper={keeper} history={this.#history} now={now} />).toString();
    this.#last = encoder.encode(`data: ${JSON.stringify(html)}\n\n`);
    // A page that does not read is given nothing more to keep.
    for (const page of this.#pages) if ((page.desiredSize ?? 0) > -MOST_WAITING) page.enqueue(this.#last);
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
