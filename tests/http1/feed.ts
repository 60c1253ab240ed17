/**
 * Feeds decoders their bytes in every way they can arrive: whole, split at every point, one at a time, and always
 * in the middle of a larger buffer whose other bytes would change the result if they were read.
 */
import { BodyReader, DATA, END, type Framing, MORE as BODY_MORE } from "../../mod/http1/body.ts";
import {
  DONE,
  Head,
  MALFORMED,
  MORE,
  parseRequestHead,
  parseResponseHead,
  type Progress,
  TOO_MANY_FIELDS,
  VERSION,
} from "../../mod/http1/head.ts";
import { readRequest, RequestInfo } from "../../mod/http1/request.ts";
import { readResponse, ResponseInfo } from "../../mod/http1/response.ts";
import { fromLatin1, latin1 } from "../../mod/http/grammar.ts";
import { assertEquals } from "../assert.ts";

export type HeadParser = typeof parseRequestHead;
const PROGRESS: Record<Progress, string> = {
  [MORE]: "more",
  [DONE]: "done",
  [MALFORMED]: "malformed",
  [VERSION]: "version",
  [TOO_MANY_FIELDS]: "tooManyFields",
};
/** Where messages begin in their buffers: an offset that is forgotten somewhere shows. */
const BEFORE = 5;
/** What stands around a message: each would complete, continue or break it. */
const SURROUNDINGS = ["\r\n\r\n0", "aaaaa", "\n\n\n\n\n"];

/** A copy of `raw` within other bytes; it begins at BEFORE. */
export function surround(raw: Uint8Array, around = SURROUNDINGS[0]!): Uint8Array {
  const bytes = new Uint8Array(raw.length + 2 * BEFORE);
  bytes.set(fromLatin1(around));
  bytes.set(raw, BEFORE);
  bytes.set(fromLatin1(around), BEFORE + raw.length);
  return bytes;
}

export interface ParsedHead {
  readonly outcome: string;
  readonly head: Head;
  readonly bytes: Uint8Array;
}

/**
 * Parses a head whole and as every prefix. Fails when a prefix says something that the whole takes back, when a
 * complete head ends elsewhere, or when the bytes around it matter.
 */
export function parseHead(parse: HeadParser, raw: string | Uint8Array, maxFields = 100): ParsedHead {
  const message = typeof raw === "string" ? fromLatin1(raw) : raw;
  const bytes = surround(message);
  const head = new Head();
  const whole = parse(head, bytes, BEFORE, BEFORE + message.length, maxFields);
  const facts = whole === DONE ? headFacts(head, bytes) : "";
  const again = new Head();
  for (let size = 0; size <= message.length; size++) {
    const prefix = surround(message.subarray(0, size), SURROUNDINGS[size % SURROUNDINGS.length]);
    const progress = parse(again, prefix, BEFORE, BEFORE + size, maxFields);
    if (progress === MORE && size < message.length) {
      if (whole === DONE) assertEquals(size < head.end - BEFORE, true, `still not complete at ${size}`);
      continue;
    }
    assertEquals(PROGRESS[progress], PROGRESS[whole], `the first ${size} bytes and the whole`);
    if (progress === DONE) assertEquals(headFacts(again, prefix), facts);
  }
  return { outcome: PROGRESS[whole], head, bytes };
}

/** Everything a parsed head says, in one comparable text. */
export function headFacts(head: Head, bytes: Uint8Array): string {
  const fields = Array.from({ length: head.count }, (_, i) => [
    head.ids[i],
    latin1(bytes, head.nameStart(i), head.nameEnd(i)),
    latin1(bytes, head.valueStart(i), head.valueEnd(i)),
    head.lineEnd(i),
  ]);
  return JSON.stringify([head.start, head.fieldsStart, head.end, head.minor, fields]);
}

export interface ReadRequest extends ParsedHead {
  readonly info: RequestInfo;
  /** Text of a range of offsets. */
  text(start: number, end: number): string;
}

/** Outcome: what the parser says when not "done", else the error code, else "ok". */
export function request(raw: string, maxFields = 100): ReadRequest {
  const parsed = parseHead(parseRequestHead, raw, maxFields);
  const info = new RequestInfo();
  let outcome = parsed.outcome;
  if (outcome === "done") outcome = readRequest(info, parsed.head, parsed.bytes) ?? "ok";
  return { ...parsed, outcome, info, text: (start, end) => latin1(parsed.bytes, start, end) };
}

export interface ReadResponse extends ParsedHead {
  readonly info: ResponseInfo;
}

/** Outcome: what the parser says when not "done", else "ambiguous" or "ok". */
export function response(raw: string, toHead = false): ReadResponse {
  const parsed = parseHead(parseResponseHead, raw);
  const info = new ResponseInfo();
  let outcome = parsed.outcome;
  if (outcome === "done") {
    outcome = readResponse(info, parsed.head, parsed.bytes, toHead) ? "ok" : "ambiguous";
  }
  return { ...parsed, outcome, info };
}

export interface ReadBody {
  /** END, MORE or what was wrong. */
  readonly step: number;
  readonly data: string;
  readonly trailer: string;
  /** Bytes used up. */
  readonly used: number;
}

/** Reads a body that arrives in pieces which end at the given offsets (and at the end). */
export function readBody(
  framing: Framing,
  length: number,
  raw: Uint8Array,
  cuts: readonly number[],
): ReadBody {
  const reader = new BodyReader();
  reader.start(framing, length);
  let data = "", from = 0;
  for (const cut of [...cuts, raw.length]) {
    const bytes = surround(raw.subarray(from, cut));
    const end = BEFORE + cut - from;
    let at = BEFORE;
    for (;;) {
      const step = reader.next(bytes, at, end);
      if (step === DATA) {
        data += latin1(bytes, reader.dataStart, reader.dataEnd);
        at = reader.at;
        continue;
      }
      if (step === BODY_MORE) break;
      const used = step === END ? from + reader.at - BEFORE : -1;
      return { step, data, trailer: latin1(reader.trailer, 0, reader.trailer.length), used };
    }
    from = cut;
  }
  return { step: BODY_MORE, data, trailer: "", used: raw.length };
}

/** Reads a body whole, split at every point, and one byte at a time; fails when the results differ. */
export function readBodyEverywhere(framing: Framing, length: number, raw: string | Uint8Array): ReadBody {
  const bytes = typeof raw === "string" ? fromLatin1(raw) : raw;
  const whole = readBody(framing, length, bytes, []);
  const compared = (body: ReadBody) => body.step > END ? { ...body, data: "", trailer: "" } : body;
  for (let cut = 0; cut <= bytes.length; cut++) {
    assertEquals(compared(readBody(framing, length, bytes, [cut])), compared(whole), `split at ${cut}`);
  }
  const each = Array.from({ length: bytes.length }, (_, i) => i);
  assertEquals(compared(readBody(framing, length, bytes, each)), compared(whole), "one byte at a time");
  return whole;
}
