/**
 * Reads the options of `Connection` (RFC 9110 section 7.6.1), the same for requests and responses.
 * Allocates nothing but the names of fields that an option nominates, which is rare. It must not know of messages.
 */
import { equalsLower, latin1, TOKEN } from "../http/grammar.ts";

const COMMA = 0x2c;
/** Fields that may be nominated; each is compared with every field. Browsers and proxies nominate one or two. */
export const MAX_NOMINATED = 32;

/** What the options of all `Connection` fields of one head add up to. */
export interface ConnectionOptions {
  /** `close` was among the options: it wins over `keep-alive` (RFC 9112 section 9.3). */
  close: boolean;
  /** Set by `keep-alive`; starts as what the version means without options. */
  keepAlive: boolean;
  upgrade: boolean;
  /** Lower-case names of fields that are declared to be of this hop, or null. */
  nominated: string[] | null;
}

/** Adds the options in a field value to `into`; false when the value is not a list of tokens, or nominates too many. */
export function readConnectionOptions(
  into: ConnectionOptions,
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  let at = start;
  while (at < end) {
    if (bytes[at] === COMMA || isBlank(bytes[at]!)) {
      at++;
      continue;
    }
    const from = at;
    while (at < end && TOKEN[bytes[at]!] === 1) at++;
    if (at === from) return false;
    if (!addOption(into, bytes, from, at)) return false;
    while (at < end && isBlank(bytes[at]!)) at++;
    if (at < end && bytes[at] !== COMMA) return false;
  }
  return true;
}

function addOption(into: ConnectionOptions, bytes: Uint8Array, start: number, end: number): boolean {
  if (equalsLower(bytes, start, end, "close")) into.close = true;
  else if (equalsLower(bytes, start, end, "keep-alive")) into.keepAlive = true;
  else if (equalsLower(bytes, start, end, "upgrade")) into.upgrade = true;
  else return (into.nominated ??= []).push(latin1(bytes, start, end).toLowerCase()) <= MAX_NOMINATED;
  return true;
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x09;
}
