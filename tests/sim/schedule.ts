/**
 * Virtual time: events in the order of their time, and a bound on how many a simulation may take.
 * Nothing here waits. Whoever runs a simulation decides how far the clock goes.
 */

/** A simulation that takes more steps than this goes round in circles. */
const MAX_STEPS = 5_000_000;

interface Event {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

export class Schedule {
  /** Milliseconds of virtual time. */
  now = 1_000_000;
  #events: Event[] = [];
  #order = 0;
  #steps = 0;

  /** Runs `run` in `delay` milliseconds, behind everything that was asked for the same moment before. */
  in(delay: number, run: () => void): void {
    const event = { at: this.now + delay, order: this.#order++, run };
    const heap = this.#events;
    heap.push(event);
    let at = heap.length - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!before(event, heap[above]!)) break;
      heap[at] = heap[above]!;
      at = above;
    }
    heap[at] = event;
  }

  /** When the next event is due; Infinity: there is none. */
  get next(): number {
    return this.#events[0]?.at ?? Infinity;
  }

  /** Goes on to the next event and runs it. */
  step(): void {
    if (++this.#steps > MAX_STEPS) throw new Error(`Cannot end the simulation within ${MAX_STEPS} steps`);
    const event = this.#pop();
    this.now = Math.max(this.now, event.at);
    event.run();
  }

  #pop(): Event {
    const heap = this.#events;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && before(heap[below + 1]!, heap[below]!)) below++;
      if (!before(heap[below]!, last)) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = last;
    return first;
  }
}

function before(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
