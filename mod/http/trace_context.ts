/**
 * W3C Trace Context (https://www.w3.org/TR/trace-context/): reads `traceparent` as bytes. Pure.
 */

/** `00-` trace id `-` parent id `-` flags. */
export const TRACEPARENT_BYTES = 55;
export const TRACE_ID_DIGITS = 32;
export const SPAN_ID_DIGITS = 16;

const DASH = 0x2d;
const TRACE_ID = 3;
const PARENT_ID = TRACE_ID + TRACE_ID_DIGITS + 1;
const FLAGS = PARENT_ID + SPAN_ID_DIGITS + 1;
/** Section 3.2.2.5.1. */
const SAMPLED = 1;

/** The trace of a request and its own span in it, as ASCII. Kept by its owner from request to request. */
export class TraceContext {
  /** Trace id, own span's id, parent's id: one behind the other. */
  readonly ids = new Uint8Array(TRACE_ID_DIGITS + 2 * SPAN_ID_DIGITS);
  /** True while what stands here is of the request at hand. */
  active = false;
  /** There is a span of ours, to be told. */
  sampled = false;
  /** The third id counts. */
  continued = false;

  /** Takes a `traceparent` that `isTraceparent`, as the parent of a span whose id is still to be written. */
  take(bytes: Uint8Array, start: number): void {
    const { ids } = this;
    for (let i = 0; i < TRACE_ID_DIGITS; i++) ids[i] = bytes[start + TRACE_ID + i]!;
    for (let i = 0; i < SPAN_ID_DIGITS; i++) ids[OWN_ID + SPAN_ID_DIGITS + i] = bytes[start + PARENT_ID + i]!;
    this.sampled = (hexDigit(bytes[start + FLAGS + 1]!) & SAMPLED) !== 0;
    this.continued = true;
  }

  /** Writes the value of `traceparent` for a server: whose parent our span is, or, where there is none, our own. */
  write(out: Uint8Array, at: number): number {
    const { ids } = this;
    const parent = this.sampled || !this.continued ? OWN_ID : OWN_ID + SPAN_ID_DIGITS;
    out[at++] = ZERO;
    out[at++] = ZERO;
    out[at++] = DASH;
    for (let i = 0; i < TRACE_ID_DIGITS; i++) out[at++] = ids[i]!;
    out[at++] = DASH;
    for (let i = 0; i < SPAN_ID_DIGITS; i++) out[at++] = ids[parent + i]!;
    out[at++] = DASH;
    out[at++] = ZERO;
    out[at++] = this.sampled ? ZERO + SAMPLED : ZERO;
    return at;
  }

  /**
   * True for that share of all traces, the same ones wherever it is asked: the end of a trace id is random (W3C Trace
   * Context Level 2, section 3.2.2.3.2), and its last eight digits are enough to tell a millionth.
   */
  within(share: number): boolean {
    let value = 0;
    for (let i = SHARE_AT; i < TRACE_ID_DIGITS; i++) value = value * 16 + hexDigit(this.ids[i]!);
    return value < share * 0x1_0000_0000;
  }
}

/** Where those digits of a trace id begin that tell whether it is sampled. */
export const SHARE_AT = TRACE_ID_DIGITS - 8;
/** Where the id of our own span begins. */
export const OWN_ID = TRACE_ID_DIGITS;
const ZERO = 0x30;

/**
 * Section 3.2: lower-case hex, ids that are not all zeros. Of a version that is not known, what follows behind another
 * dash is passed over (section 4.3).
 */
export function isTraceparent(bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  if (length < TRACEPARENT_BYTES || !isHex(bytes, start, 2)) return false;
  const version = hexDigit(bytes[start]!) * 16 + hexDigit(bytes[start + 1]!);
  if (version === 0xff || (version === 0 && length !== TRACEPARENT_BYTES)) return false;
  if (length > TRACEPARENT_BYTES && bytes[start + TRACEPARENT_BYTES] !== DASH) return false;
  return bytes[start + TRACE_ID - 1] === DASH && bytes[start + PARENT_ID - 1] === DASH &&
    bytes[start + FLAGS - 1] === DASH && isId(bytes, start + TRACE_ID, TRACE_ID_DIGITS) &&
    isId(bytes, start + PARENT_ID, SPAN_ID_DIGITS) && isHex(bytes, start + FLAGS, 2);
}

function isId(bytes: Uint8Array, start: number, digits: number): boolean {
  if (!isHex(bytes, start, digits)) return false;
  for (let i = 0; i < digits; i++) if (bytes[start + i] !== ZERO) return true;
  return false;
}

function isHex(bytes: Uint8Array, start: number, digits: number): boolean {
  for (let i = start; i < start + digits; i++) if (hexDigit(bytes[i]!) < 0) return false;
  return true;
}

/** -1: it is none of lower case. */
function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  return byte >= 0x61 && byte <= 0x66 ? byte - 0x57 : -1;
}
