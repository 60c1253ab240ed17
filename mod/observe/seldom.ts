/**
 * Lets the same message pass once in a while: what goes on for hours is told, and is no news every second. Pure.
 *
 * Whoever is on the LAN may cause messages by the thousand, each another one: so few are remembered, the one that was
 * told first is forgotten first, and the log has a limit of its own.
 */

/** More different messages at a time than this are not held back here. */
const MAX_KEYS = 256;

export class Seldom {
  /** When each was told, in that order. */
  readonly #toldAt = new Map<string, number>();

  /** `apartMs`: the same message passes no more often. */
  constructor(readonly apartMs: number) {}

  /** True when the message may be written now. */
  admit(key: string, now: number): boolean {
    const toldAt = this.#toldAt.get(key);
    if (toldAt !== undefined && now - toldAt < this.apartMs) return false;
    this.#toldAt.delete(key);
    this.#toldAt.set(key, now);
    if (this.#toldAt.size > MAX_KEYS) this.#toldAt.delete(this.#toldAt.keys().next().value!);
    return true;
  }
}
