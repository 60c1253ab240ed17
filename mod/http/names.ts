/**
 * The field names that the proxy acts on, each with a small number, and the look-up from bytes to number.
 * Every other field is just passed on and never looked at again.
 */

export const OTHER = 0;
export const HOST = 1;
export const CONTENT_LENGTH = 2;
export const TRANSFER_ENCODING = 3;
export const CONNECTION = 4;
export const KEEP_ALIVE = 5;
export const PROXY_CONNECTION = 6;
export const TE = 7;
export const UPGRADE = 8;
export const EXPECT = 9;
export const TRAILER = 10;
export const X_FORWARDED_FOR = 11;
export const X_FORWARDED_PROTO = 12;
export const X_FORWARDED_HOST = 13;
export const X_REAL_IP = 14;
export const FORWARDED = 15;
export const X_REQUEST_ID = 16;
export const USER_AGENT = 17;
export const REFERER = 18;
export const COOKIE = 19;
export const HTTP2_SETTINGS = 20;
export const DATE = 21;
/** A name that is one of the above once `_` is read as `-`: never passed on, as CGI-like servers fold both. */
export const SHADOW = 22;
export const STRICT_TRANSPORT_SECURITY = 23;
export const SEC_WEBSOCKET_KEY = 24;
export const SEC_WEBSOCKET_ACCEPT = 25;
export const TRACEPARENT = 26;
export const TRACESTATE = 27;

const NAMES: readonly (readonly [string, number])[] = [
  ["host", HOST],
  ["content-length", CONTENT_LENGTH],
  ["transfer-encoding", TRANSFER_ENCODING],
  ["connection", CONNECTION],
  ["keep-alive", KEEP_ALIVE],
  ["proxy-connection", PROXY_CONNECTION],
  ["te", TE],
  ["upgrade", UPGRADE],
  ["expect", EXPECT],
  ["trailer", TRAILER],
  ["x-forwarded-for", X_FORWARDED_FOR],
  ["x-forwarded-proto", X_FORWARDED_PROTO],
  ["x-forwarded-host", X_FORWARDED_HOST],
  ["x-real-ip", X_REAL_IP],
  ["forwarded", FORWARDED],
  ["x-request-id", X_REQUEST_ID],
  ["user-agent", USER_AGENT],
  ["referer", REFERER],
  ["cookie", COOKIE],
  ["http2-settings", HTTP2_SETTINGS],
  ["date", DATE],
  ["strict-transport-security", STRICT_TRANSPORT_SECURITY],
  ["sec-websocket-key", SEC_WEBSOCKET_KEY],
  ["sec-websocket-accept", SEC_WEBSOCKET_ACCEPT],
  ["traceparent", TRACEPARENT],
  ["tracestate", TRACESTATE],
];

interface Candidate {
  readonly bytes: Uint8Array;
  readonly id: number;
}

const BY_LENGTH: readonly (readonly Candidate[])[] = Array.from(
  { length: 26 },
  (_, length) =>
    NAMES.filter(([name]) => name.length === length).map(([name, id]) => ({
      bytes: Uint8Array.from(name, (char) => char.charCodeAt(0)),
      id,
    })),
);

/** Number of the field name at `start` to `end`, or OTHER. The bytes must be token characters already. */
export function fieldId(bytes: Uint8Array, start: number, end: number): number {
  const candidates = BY_LENGTH[end - start];
  if (candidates === undefined) return OTHER;
  search: for (let c = 0; c < candidates.length; c++) {
    const { bytes: name, id } = candidates[c]!;
    let folded = false;
    for (let i = 0; i < name.length; i++) {
      const byte = bytes[start + i]!;
      if ((byte | 0x20) === name[i]) continue;
      if (byte !== 0x5f || name[i] !== 0x2d) continue search;
      folded = true;
    }
    return folded ? SHADOW : id;
  }
  return OTHER;
}

/** Fields that describe one connection and never travel on (RFC 9110 section 7.6.1). */
export const HOP_BY_HOP: Uint8Array = idSet(
  CONNECTION,
  KEEP_ALIVE,
  PROXY_CONNECTION,
  TE,
  UPGRADE,
  TRANSFER_ENCODING,
  HTTP2_SETTINGS,
  SHADOW,
);

/** A set of field numbers as a table: 1 when the number is in it. */
export function idSet(...ids: number[]): Uint8Array {
  const set = new Uint8Array(32);
  for (const id of ids) set[id] = 1;
  return set;
}
