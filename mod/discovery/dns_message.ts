/**
 * DNS messages (RFC 1035 section 4, SRV: RFC 2782): one question out, the answer to it in, with its time to live.
 *
 * Our own because the platform's resolvers give no time to live for SRV. Without EDNS: a longer answer comes
 * truncated and is asked for again over TCP. Whatever arrives, decoding ends, throws nothing and never believes
 * an answer to another question. It knows no sockets and follows no more than what one message holds.
 */
import { formatIp } from "../base/address.ts";

export type RecordType = "A" | "AAAA" | "SRV" | "CNAME" | "MX" | "NS" | "PTR" | "SOA" | "TXT";

export interface Question {
  /** 16 bits, not to be guessed. */
  readonly id: number;
  /** Absolute, lower case, without the final dot; `.`: the root. */
  readonly name: string;
  readonly type: RecordType;
}

export interface SrvRecord {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  /** Lower case, without the final dot; empty: the service is not available (RFC 2782). */
  readonly target: string;
}

export type Decoded =
  /** Not the answer to this question: wait on. */
  | { readonly kind: "other" }
  /** Ask again over TCP. */
  | { readonly kind: "truncated" }
  | {
    readonly kind: "found";
    readonly addresses: readonly string[];
    readonly services: readonly SrvRecord[];
    /** Records of a type whose data is not read; absent: none. */
    readonly others?: number;
    /** Seconds for which all of this holds, aliases on the way included. */
    readonly ttlS: number;
  }
  /** The name or the record does not exist. */
  | { readonly kind: "none"; readonly reason: string }
  /** The server could not or would not say. */
  | { readonly kind: "failed"; readonly reason: string };

const TYPE_NUMBERS: Record<RecordType, number> = {
  ...{ A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, MX: 15, TXT: 16, AAAA: 28, SRV: 33 },
};
const { CNAME } = TYPE_NUMBERS;
const CLASS_IN = 1;
const HEADER_BYTES = 12;
/** RFC 1035 section 2.3.4. */
const MAX_LABEL = 63;
const MAX_NAME = 255;
/** Aliases followed within one answer. BIND: 16. */
const MAX_ALIASES = 16;
const RCODE_NXDOMAIN = 3;
/** RFC 1035 section 4.1.1. */
const RCODES = ["no error", "format error", "server failure", "no such name", "not implemented", "refused"];

/** The query as bytes, recursion desired; null when the name cannot be asked for. */
export function encodeQuery({ id, name, type }: Question): Uint8Array | null {
  const labels = name === "." ? [] : name.split(".");
  const size = labels.reduce((sum, label) => sum + 1 + label.length, 1);
  // deno-lint-ignore no-control-regex
  if (size > MAX_NAME || labels.some((label) => !/^[\x00-\x7f]{1,63}$/.test(label))) return null;
  const bytes = new Uint8Array(HEADER_BYTES + size + 4);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, id);
  view.setUint16(2, 0x0100);
  view.setUint16(4, 1);
  let at = HEADER_BYTES;
  for (const label of labels) {
    bytes[at++] = label.length;
    for (let i = 0; i < label.length; i++) bytes[at++] = label.charCodeAt(i);
  }
  view.setUint16(at + 1, TYPE_NUMBERS[type]);
  view.setUint16(at + 3, CLASS_IN);
  return bytes;
}

/** Number of the result of a message (RCODE), 0 for success; null: it is not the answer to this question. */
export function resultCode(bytes: Uint8Array, question: Question): number | null {
  return decodeAnswer(bytes, question).kind === "other" ? null : bytes[3]! & 0x0f;
}

/** A result in words. */
export function resultWords(code: number): string {
  return RCODES[code] ?? `error ${code}`;
}

/** Reads a message that arrived after `question` was asked. */
export function decodeAnswer(bytes: Uint8Array, question: Question): Decoded {
  if (bytes.length < HEADER_BYTES) return { kind: "other" };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = view.getUint16(2);
  // A response (QR) to a standard query (opcode 0).
  if (view.getUint16(0) !== question.id || (flags & 0xf800) !== 0x8000) return { kind: "other" };
  const rcode = flags & 0x000f;
  const failure = resultWords(rcode);
  if (view.getUint16(4) === 0 && rcode !== 0) return { kind: "failed", reason: failure };
  const start = questionEnd(bytes, view, question);
  if (start === null) return { kind: "other" };
  if ((flags & 0x0200) !== 0) return { kind: "truncated" };
  if (rcode === RCODE_NXDOMAIN) return { kind: "none", reason: failure };
  if (rcode !== 0) return { kind: "failed", reason: failure };
  const records = readRecords(bytes, view, start, view.getUint16(6));
  return records === null ? { kind: "failed", reason: "malformed answer" } : choose(records, view, question);
}

/** Where the answers begin; null unless the message repeats exactly our question. */
function questionEnd(bytes: Uint8Array, view: DataView, { name, type }: Question): number | null {
  const asked = view.getUint16(4) === 1 ? readName(bytes, HEADER_BYTES) : null;
  if (asked === null || (asked.name || ".") !== name || asked.end + 4 > bytes.length) return null;
  const matches = view.getUint16(asked.end) === TYPE_NUMBERS[type] &&
    view.getUint16(asked.end + 2) === CLASS_IN;
  return matches ? asked.end + 4 : null;
}

interface RawRecord {
  readonly owner: string;
  readonly type: number;
  readonly ttlS: number;
  /** Of its data. */
  readonly start: number;
  readonly end: number;
  readonly bytes: Uint8Array;
}

function readRecords(bytes: Uint8Array, view: DataView, start: number, count: number): RawRecord[] | null {
  const records: RawRecord[] = [];
  let at = start;
  for (let i = 0; i < count; i++) {
    const owner = readName(bytes, at);
    if (owner === null || owner.end + 10 > bytes.length) return null;
    const head = owner.end;
    const end = head + 10 + view.getUint16(head + 8);
    if (end > bytes.length) return null;
    at = end;
    if (view.getUint16(head + 2) !== CLASS_IN) continue;
    const ttl = view.getUint32(head + 4);
    // RFC 2181 section 8: a time to live with the top bit set counts as 0.
    const ttlS = ttl > 0x7fffffff ? 0 : ttl;
    records.push({ owner: owner.name, type: view.getUint16(head), ttlS, start: head + 10, end, bytes });
  }
  return records;
}

/** Follows aliases from the name asked for and takes the records of the type asked for. */
function choose(records: readonly RawRecord[], view: DataView, { name, type }: Question): Decoded {
  let owner = name;
  let ttlS = Infinity;
  for (let aliases = 0; aliases < MAX_ALIASES && type !== "CNAME"; aliases++) {
    const alias = records.find((record) => record.type === CNAME && record.owner === owner);
    const target = alias === undefined ? null : readName(alias.bytes, alias.start);
    if (alias === undefined || target === null) break;
    ttlS = Math.min(ttlS, alias.ttlS);
    owner = target.name;
  }
  const addresses: string[] = [];
  const services: SrvRecord[] = [];
  let others = 0;
  for (const record of records) {
    if (record.owner !== owner || record.type !== TYPE_NUMBERS[type]) continue;
    if (type === "SRV") {
      const service = readService(record, view);
      if (service === null) return { kind: "failed", reason: "malformed SRV record" };
      services.push(service);
    } else if (type !== "A" && type !== "AAAA") others++;
    else {
      if (record.end - record.start !== (type === "A" ? 4 : 16)) {
        return { kind: "failed", reason: `malformed ${type} record` };
      }
      addresses.push(formatIp(record.bytes.slice(record.start, record.end)));
    }
    ttlS = Math.min(ttlS, record.ttlS);
  }
  if (addresses.length + services.length + others === 0) {
    return { kind: "none", reason: `no ${type} records` };
  }
  return { kind: "found", addresses, services, ...(others === 0 ? {} : { others }), ttlS };
}

function readService(record: RawRecord, view: DataView): SrvRecord | null {
  if (record.end - record.start < 7) return null;
  const target = readName(record.bytes, record.start + 6);
  if (target === null) return null;
  return {
    priority: view.getUint16(record.start),
    weight: view.getUint16(record.start + 2),
    port: view.getUint16(record.start + 4),
    target: target.name,
  };
}

/** A name, lower case, and where it ends; null when malformed. Pointers must lead backwards, so that it ends. */
function readName(bytes: Uint8Array, start: number): { name: string; end: number } | null {
  const labels: string[] = [];
  let at = start;
  let lowest = start;
  let end = -1;
  let size = 1;
  while (true) {
    const length = bytes[at];
    if (length === undefined) return null;
    if (length === 0) return { name: labels.join("."), end: end < 0 ? at + 1 : end };
    if (length > MAX_LABEL) {
      const low = bytes[at + 1];
      // RFC 1035 section 4.1.4: both top bits set make a pointer; the other two forms were never used.
      if (length < 0xc0 || low === undefined) return null;
      const to = (length & 0x3f) << 8 | low;
      if (to >= lowest) return null;
      if (end < 0) end = at + 2;
      at = lowest = to;
      continue;
    }
    size += 1 + length;
    if (size > MAX_NAME || at + 1 + length > bytes.length) return null;
    labels.push(labelText(bytes, at + 1, length));
    at += 1 + length;
  }
}

/** A label as lower-case text; bytes that no host name has are escaped, a dot among them (RFC 1035 section 5.1). */
function labelText(bytes: Uint8Array, start: number, length: number): string {
  let text = "";
  for (let at = start; at < start + length; at++) {
    const char = String.fromCharCode(bytes[at]!);
    text += /[\w-]/.test(char) ? char.toLowerCase() : `\\${bytes[at]!.toString().padStart(3, "0")}`;
  }
  return text;
}
