/**
 * The frames of HTTP/2 (RFC 9113 sections 4, 6 and 7): their numbers, and how the small ones are written.
 */
import { write32 } from "./bytes.ts";

/** What a client sends first (section 3.4). */
export const PREFACE = Uint8Array.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (char) => char.charCodeAt(0));

export const HEADER_BYTES = 9;
/** SETTINGS_MAX_FRAME_SIZE unless it is changed, and we do not change it. */
export const MAX_FRAME_BYTES = 16_384;
export const DEFAULT_WINDOW = 65_535;
export const MAX_WINDOW = 0x7fffffff;

export const DATA = 0;
export const HEADERS = 1;
export const PRIORITY = 2;
export const RST_STREAM = 3;
export const SETTINGS = 4;
export const PUSH_PROMISE = 5;
export const PING = 6;
export const GOAWAY = 7;
export const WINDOW_UPDATE = 8;
export const CONTINUATION = 9;

export const END_STREAM = 0x1;
export const ACK = 0x1;
export const END_HEADERS = 0x4;
export const PADDED = 0x8;
export const HAS_PRIORITY = 0x20;

export const NO_ERROR = 0;
export const PROTOCOL_ERROR = 1;
export const INTERNAL_ERROR = 2;
export const FLOW_CONTROL_ERROR = 3;
export const SETTINGS_TIMEOUT = 4;
export const STREAM_CLOSED = 5;
export const FRAME_SIZE_ERROR = 6;
export const REFUSED_STREAM = 7;
export const CANCEL = 8;
export const COMPRESSION_ERROR = 9;
export const CONNECT_ERROR = 10;
export const ENHANCE_YOUR_CALM = 11;

export const SETTINGS_HEADER_TABLE_SIZE = 1;
export const SETTINGS_ENABLE_PUSH = 2;
export const SETTINGS_MAX_CONCURRENT_STREAMS = 3;
export const SETTINGS_INITIAL_WINDOW_SIZE = 4;
export const SETTINGS_MAX_FRAME_SIZE = 5;
/** RFC 8441 section 3. */
export const SETTINGS_ENABLE_CONNECT_PROTOCOL = 8;

/** Writes a frame's header; returns the offset behind it. */
export function frameHeader(
  out: Uint8Array,
  at: number,
  length: number,
  type: number,
  flags: number,
  stream: number,
): number {
  out[at] = length >>> 16;
  out[at + 1] = length >>> 8;
  out[at + 2] = length;
  out[at + 3] = type;
  out[at + 4] = flags;
  write32(out, at + 5, stream);
  return at + HEADER_BYTES;
}

/** A whole SETTINGS frame of identifiers and values. */
export function settingsFrame(settings: readonly (readonly [number, number])[]): Uint8Array {
  const out = new Uint8Array(HEADER_BYTES + 6 * settings.length);
  let at = frameHeader(out, 0, 6 * settings.length, SETTINGS, 0, 0);
  for (const [id, value] of settings) {
    out[at + 1] = id;
    write32(out, at + 2, value);
    at += 6;
  }
  return out;
}

export const SETTINGS_ACK: Uint8Array = whole(SETTINGS, ACK, 0);

/** A frame whose payload is the numbers, of 32 bits each. */
export function whole(type: number, flags: number, stream: number, ...numbers: number[]): Uint8Array {
  const out = new Uint8Array(HEADER_BYTES + 4 * numbers.length);
  frameHeader(out, 0, 4 * numbers.length, type, flags, stream);
  numbers.forEach((value, i) => write32(out, HEADER_BYTES + 4 * i, value));
  return out;
}
