/**
 * The heads of stored answers: what is kept of one, what a renewal changes of it (RFC 9111 sections 3.1 and 3.2), and
 * the head with which it is sent. Pure; the length of a body is never kept, whoever sends it says it.
 */
import { copyBytes } from "../base/bytes.ts";
import { fromLatin1, latin1 } from "../http/grammar.ts";
import * as names from "../http/names.ts";
import { DONE, Head, MAX_FIELDS, parseResponseHead } from "../http1/head.ts";
import type { Reply } from "./reply.ts";

/** A received head. */
export interface Received {
  readonly head: Head;
  readonly bytes: Uint8Array;
  /** Lower-case names that `Connection` declares to be of this hop, or null. */
  readonly nominated: readonly string[] | null;
}

/** Of one connection, of a proxy, or ours to say. */
const NOT_KEPT = new Set([
  "age",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-authorization",
  "trailer",
]);
/** What speaks of the stored bytes stays with them. */
const OF_THE_BODY = new Set(["content-encoding", "content-range", "content-type"]);
/** What a 304 tells (RFC 9110 section 15.4.5), and the date that is the only validator of some. */
const IN_RENEWAL = new Set([
  "age",
  "cache-control",
  "content-location",
  "date",
  "etag",
  "expires",
  "last-modified",
  // Never stored: of a renewal, for the client whose request it was.
  "set-cookie",
  "vary",
]);
const NOBODY: readonly string[] = [];
const scratch = new Head();

/** The head as it is stored. `leftOut`: lower-case names; `date`: for an answer that has none. */
export function storedHead(received: Received, leftOut: readonly string[], date: string): Uint8Array {
  const { head, bytes } = received;
  // The version is ours.
  const line = latin1(bytes, head.start + "HTTP/1.x ".length, head.fieldsStart);
  const fields = keptFields(received, leftOut);
  const dated = fields.some(({ name }) => name === "date") ? "" : `Date: ${date}\r\n`;
  return fromLatin1(`HTTP/1.1 ${line}${fields.map(({ line }) => line).join("")}${dated}\r\n`);
}

/** A stored head after a 304: its fields stand in the place of those of the same name. */
export function renewedHead(
  stored: Uint8Array,
  renewal: Received,
  leftOut: readonly string[],
  date: string,
): Uint8Array {
  const fresh = keptFields(renewal, leftOut).filter(({ name }) => !OF_THE_BODY.has(name));
  const replaced = new Set([...fresh.map(({ name }) => name), "date"]);
  const before = parsed(stored);
  const kept = keptFields(before, leftOut).filter(({ name }) => !replaced.has(name));
  const dated = fresh.some(({ name }) => name === "date") ? "" : `Date: ${date}\r\n`;
  const line = latin1(stored, 0, before.head.fieldsStart);
  return fromLatin1(`${line}${[...kept, ...fresh].map(({ line }) => line).join("")}${dated}\r\n`);
}

/** The value of a field of a stored head by its lower-case name, several joined by `, `; null: absent. */
export function storedField(stored: Uint8Array, name: string): string | null {
  const values = keptFields(parsed(stored), NOBODY).filter((one) => one.name === name);
  return values.length === 0 ? null : values.map(({ value }) => value).join(", ");
}

/** Room that `writeReply` needs besides the stored head. */
export const REPLY_ADDED_BYTES = 256;

/** Writes the head with which a stored answer of `size` bytes is sent; returns its length. `age`: seconds. */
export function writeReply(
  out: Uint8Array,
  stored: Uint8Array,
  reply: Reply,
  size: number,
  age: number,
): number {
  if (reply.kind !== "whole") return putText(out, 0, replyHead(stored, reply, size, age));
  const fieldsEnd = stored.length - "\r\n".length;
  copyBytes(out, 0, stored, 0, fieldsEnd);
  return putText(out, fieldsEnd, `Age: ${age}\r\nContent-Length: ${size}\r\n\r\n`);
}

function replyHead(
  stored: Uint8Array,
  reply: Exclude<Reply, { kind: "whole" }>,
  size: number,
  age: number,
): string {
  const aged = `Age: ${age}\r\n`;
  const fields = keptFields(parsed(stored), NOBODY);
  const lines = (some: typeof fields) => some.map(({ line }) => line).join("");
  if (reply.kind === "notModified") {
    const told = fields.filter(({ name }) => IN_RENEWAL.has(name));
    return `HTTP/1.1 304 Not Modified\r\n${lines(told)}${aged}\r\n`;
  }
  if (reply.kind === "unsatisfiable") {
    const told = fields.filter(({ name }) => IN_RENEWAL.has(name));
    return `HTTP/1.1 416 Range Not Satisfiable\r\n${lines(told)}${aged}` +
      `Content-Range: bytes */${size}\r\nContent-Length: 0\r\n\r\n`;
  }
  const { start, end } = reply;
  return `HTTP/1.1 206 Partial Content\r\n${lines(fields)}${aged}` +
    `Content-Range: bytes ${start}-${end - 1}/${size}\r\nContent-Length: ${end - start}\r\n\r\n`;
}

/** Writes a text of characters up to U+00FF; returns the offset behind it. */
function putText(out: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) out[at++] = text.charCodeAt(i);
  return at;
}

interface KeptField {
  /** Lower case. */
  readonly name: string;
  readonly value: string;
  /** With its line end. */
  readonly line: string;
}

function keptFields({ head, bytes, nominated }: Received, leftOut: readonly string[]): KeptField[] {
  const kept: KeptField[] = [];
  for (let i = 0; i < head.count; i++) {
    const id = head.ids[i]!;
    if (names.HOP_BY_HOP[id] === 1 || id === names.CONTENT_LENGTH) continue;
    const name = latin1(bytes, head.nameStart(i), head.nameEnd(i)).toLowerCase();
    if (NOT_KEPT.has(name) || nominated?.includes(name) || leftOut.includes(name)) continue;
    const value = latin1(bytes, head.valueStart(i), head.valueEnd(i));
    kept.push({ name, value, line: latin1(bytes, head.nameStart(i), head.lineEnd(i)) });
  }
  return kept;
}

/** Good until the next call. */
function parsed(stored: Uint8Array): Received {
  const done = parseResponseHead(scratch, stored, 0, stored.length, MAX_FIELDS);
  if (done !== DONE) throw new Error("Cannot use a stored head as it is not whole");
  return { head: scratch, bytes: stored, nominated: null };
}
