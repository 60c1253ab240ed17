/**
 * The servers of a pool by the ids that sessions know them by. An id is a text, for cookies, and for tables a number
 * made of it: the same on both nodes and after a restart, whatever slot the server has. Pure.
 */
import { hash128 } from "../base/hash.ts";
import type { ServerSnapshot } from "../config/snapshot.ts";
import { fromLatin1 } from "../http/grammar.ts";

export class ServerIds {
  /** By index in the pool. */
  readonly texts: readonly string[];
  readonly numbers: readonly number[];
  readonly #byText = new Map<string, number>();
  readonly #byNumber = new Map<number, number>();

  constructor(servers: readonly ServerSnapshot[]) {
    this.texts = servers.map(({ id }) => id ?? "");
    this.numbers = this.texts.map(numberOf);
    for (const [index, text] of this.texts.entries()) {
      this.#byText.set(text, index);
      this.#byNumber.set(this.numbers[index]!, index);
    }
  }

  /** Index of the server with this id, or -1. */
  find(text: string): number {
    return this.#byText.get(text) ?? -1;
  }

  /** Index of the server with this id as a number, or -1. */
  findNumber(number: number | undefined): number {
    return number === undefined ? -1 : this.#byNumber.get(number) ?? -1;
  }
}

/** 53 bits, what a number holds exactly. */
function numberOf(text: string): number {
  const words = new Uint32Array(4);
  hash128(words, fromLatin1(text));
  return (words[0]! & 0x1fffff) * 2 ** 32 + words[1]!;
}
