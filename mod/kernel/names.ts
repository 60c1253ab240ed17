/**
 * Names of chains, counters and sets in our tables: made of those of listeners and servers, so that what is counted
 * and remembered stays with them across reloads and restarts. Pure.
 */
import { hashText } from "../base/hash.ts";

/** A name in the kernel has at most 255 bytes; ours are of three parts. */
const MOST = 100;

export const CHAIN = "to", COUNT = "count", MASQUERADE = "hide";
export const CONNECTIONS = "new", PACKETS_IN = "in", PACKETS_OUT = "out", REMEMBERED = "by";

/** `to/web/10.0.0.11_3a8080`. `kind` begins with a letter, and keeps the rest from being a word of nft's own. */
export function objectName(kind: string, ...parts: readonly string[]): string {
  return [kind, ...parts.map(escaped)].join("/");
}

function escaped(part: string): string {
  const plain = part.replace(/[^A-Za-z0-9.-]/g, (mark) => `_${mark.charCodeAt(0).toString(16)}`);
  return plain.length <= MOST ? plain : `${plain.slice(0, MOST - 9)}_${hashText(part).toString(16)}`;
}
