/**
 * Time stamps of log lines (UTC), written into bytes; the part up to the second is formatted once and kept.
 *
 * Pure: a time is a parameter, in milliseconds since 1970.
 */
import { putAscii, putBytes, putPadded } from "./put.ts";

/** Requests that end together began in different seconds: the last few are kept, not only the last one. */
const SECONDS = 8;
const DOT = 0x2e;
const NOTHING = new Uint8Array(0);
const encoder = new TextEncoder();
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** Time stamps (UTC) up to the second, formatted once. */
export class Stamps {
  readonly #seconds = new Float64Array(SECONDS).fill(-1);
  readonly #iso: Uint8Array[] = new Array(SECONDS).fill(NOTHING);
  readonly #clf: Uint8Array[] = new Array(SECONDS).fill(NOTHING);

  /** `2026-01-31T10:00:00.123Z` (RFC 3339) */
  iso(bytes: Uint8Array, at: number, time: number): number {
    at = putBytes(bytes, at, this.#iso[this.#entry(time)]!);
    bytes[at++] = DOT;
    at = putPadded(bytes, at, millisecondOf(time), 3);
    return putAscii(bytes, at, "Z");
  }

  /** `31/Jan/2026:10:00:00` */
  clf(bytes: Uint8Array, at: number, time: number): number {
    return putBytes(bytes, at, this.#clf[this.#entry(time)]!);
  }

  #entry(time: number): number {
    const second = Math.floor(time / 1000);
    const entry = second & (SECONDS - 1);
    if (this.#seconds[entry] !== second) {
      const iso = new Date(second * 1000).toISOString();
      this.#seconds[entry] = second;
      this.#iso[entry] = encoder.encode(iso.slice(0, 19));
      const month = MONTHS[Number(iso.slice(5, 7)) - 1];
      const clf = `${iso.slice(8, 10)}/${month}/${iso.slice(0, 4)}:${iso.slice(11, 19)}`;
      this.#clf[entry] = encoder.encode(clf);
    }
    return entry;
  }
}

/** Milliseconds within the second. */
export function millisecondOf(time: number): number {
  return Math.floor(time) - Math.floor(time / 1000) * 1000;
}
