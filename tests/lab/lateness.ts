/**
 * How late this machine is: what a timer of this process was late by, moment for moment.
 *
 * A bound on how fast another process does something cannot be both tight and safe on a machine that runs other tests.
 * With this it is as wide as the machine was slow just then, and no wider.
 */

const BEAT_MS = 5;

export class Lateness implements Disposable {
  /** In their order; what is punctual is not kept. */
  readonly #late: { readonly from: number; readonly to: number }[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    this.#beat();
  }

  /** The worst between two moments of the wall's clock, in milliseconds. */
  worst(fromMs: number, toMs: number): number {
    const then = this.#late.filter(({ from, to }) => to >= fromMs && from <= toMs);
    return Math.max(0, ...then.map(({ from, to }) => to - from));
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #beat(): void {
    const due = Date.now() + BEAT_MS;
    this.#timer = setTimeout(() => {
      const now = Date.now();
      if (now - due > BEAT_MS) this.#late.push({ from: due, to: now });
      this.#beat();
    }, BEAT_MS);
  }
}
