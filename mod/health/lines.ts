/** Cuts what a server says into lines. How much it may say is its owner's to bound. Pure. */
import { latin1 } from "../http/grammar.ts";

export class Lines {
  #text = "";
  /** No line ends before this. */
  #looked = 0;

  /** As latin-1. */
  push(bytes: Uint8Array): void {
    this.#text += latin1(bytes, 0, bytes.length);
  }

  /** True when nothing is waiting. */
  get empty(): boolean {
    return this.#text === "";
  }

  /** The next line without its end (LF, or CR LF); null: it is not whole yet. */
  next(): string | null {
    const line = this.raw();
    return line === null ? null : line.replace(/\r$/, "");
  }

  /** The same with a CR that stands before the LF. */
  raw(): string | null {
    const end = this.#text.indexOf("\n", this.#looked);
    if (end < 0) {
      this.#looked = this.#text.length;
      return null;
    }
    const line = this.#text.slice(0, end);
    this.#text = this.#text.slice(end + 1);
    this.#looked = 0;
    return line;
  }

  /** Takes all that has not been taken as a line. */
  rest(): string {
    const rest = this.#text;
    this.#text = "";
    this.#looked = 0;
    return rest;
  }
}
