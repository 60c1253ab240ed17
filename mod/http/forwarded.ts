/**
 * The fields that tell a server who the client was: X-Forwarded-For, -Proto, -Host, X-Real-IP, Forwarded
 * (RFC 7239) and Via (RFC 9110 section 7.6.3). Pure text in, text out; made once a connection and host.
 */

/** What a trusted proxy in front of us said, or empty where it said nothing. */
export interface Received {
  readonly forwardedFor: string;
  readonly forwardedProto: string;
  readonly forwardedHost: string;
  readonly realIp: string;
  readonly forwarded: string;
}

export const NOTHING_RECEIVED: Received = {
  forwardedFor: "",
  forwardedProto: "",
  forwardedHost: "",
  realIp: "",
  forwarded: "",
};

/** The fields that `forwardedLines` makes, in lower case. */
export const FORWARDED_NAMES: readonly string[] = [
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-forwarded-host",
  "x-real-ip",
  "forwarded",
  "via",
];

/** An IPv4 client of a dual-stack listener shows as `::ffff:192.0.2.1`: the plain form is what servers expect. */
export function plainAddress(address: string): string {
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}

/** The field lines to add, each with its CR LF. `host` may be empty; `minor` is the client's HTTP version. */
export function forwardedLines(
  client: string,
  host: string,
  proto: string,
  minor: number,
  received: Received = NOTHING_RECEIVED,
): string {
  const node = client.includes(":") ? `"[${client}]"` : client;
  // Host has been checked to hold neither quote nor backslash.
  const element = `for=${node}${host === "" ? "" : `;host="${host}"`};proto=${proto}`;
  const shownHost = received.forwardedHost || host;
  return `X-Forwarded-For: ${append(received.forwardedFor, client)}\r\n` +
    `X-Forwarded-Proto: ${received.forwardedProto || proto}\r\n` +
    (shownHost === "" ? "" : `X-Forwarded-Host: ${shownHost}\r\n`) +
    `X-Real-IP: ${received.realIp || client}\r\n` +
    `Forwarded: ${append(received.forwarded, element)}\r\n` +
    `Via: 1.${minor} tandem\r\n`;
}

function append(before: string, value: string): string {
  return before === "" ? value : `${before}, ${value}`;
}
