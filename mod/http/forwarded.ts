/**
 * The fields that tell a server who the client was: X-Forwarded-For, -Proto, -Host, X-Real-IP, Forwarded
 * (RFC 7239) and Via (RFC 9110 section 7.6.3). Pure text in, text out; made once a connection and host.
 */

import { forwardedElements } from "./forwarded_field.ts";

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
  given: Received = NOTHING_RECEIVED,
): string {
  const received = given === NOTHING_RECEIVED ? given : completed(given);
  const shownHost = received.forwardedHost || host;
  const shownProto = received.forwardedProto || proto;
  const element = received.forwarded === ""
    ? elementOf(client, firstOf(shownHost), firstOf(shownProto))
    : elementOf(client, host, proto);
  return `X-Forwarded-For: ${append(received.forwardedFor, client)}\r\n` +
    `X-Forwarded-Proto: ${shownProto}\r\n` +
    (shownHost === "" ? "" : `X-Forwarded-Host: ${shownHost}\r\n`) +
    `X-Real-IP: ${received.realIp || client}\r\n` +
    `Forwarded: ${append(received.forwarded, element)}\r\n` +
    `Via: 1.${minor} tandem\r\n`;
}

/**
 * What a proxy has said in one family of fields only is said in the other too (RFC 7239 section 7.4): else a server
 * would hear of another client in `Forwarded` than in `X-Forwarded-For`. A proxy that says both is passed on.
 */
function completed(received: Received): Received {
  const { forwardedFor, forwardedProto, forwardedHost, forwarded } = received;
  if (forwarded === "") {
    const nodes = forwardedFor === "" ? [] : forwardedFor.split(",");
    const elements = nodes.map((node, at) =>
      at === 0
        ? elementOf(node.trim(), firstOf(forwardedHost), firstOf(forwardedProto))
        : elementOf(node.trim())
    );
    return { ...received, forwarded: elements.join(", ") };
  }
  if (forwardedFor !== "") return received;
  const elements = forwardedElements(forwarded);
  const [first] = elements;
  return {
    ...received,
    forwardedFor: elements.map((element) => plainNode(element.get("for") ?? "")).join(", "),
    forwardedProto: forwardedProto || matching(WORD, first?.get("proto")),
    forwardedHost: forwardedHost || matching(QUOTABLE, first?.get("host")),
  };
}

function elementOf(node: string, host = "", proto = ""): string {
  return `for=${nodeText(node)}${QUOTABLE.test(host) ? `;host="${host}"` : ""}${
    WORD.test(proto) ? `;proto=${proto}` : ""
  }`;
}

/** Section 6: an IPv6 address stands in brackets and, as everything with a colon, in quotes. */
function nodeText(node: string): string {
  if (WORD.test(node)) return node;
  if (/^[0-9A-Fa-f.]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*$/.test(node)) return `"[${node}]"`;
  return QUOTABLE.test(node) ? `"${node}"` : "unknown";
}

/** A node as `X-Forwarded-For` has it: an IPv6 address without its brackets. */
function plainNode(node: string): string {
  const plain = node.replace(/^\[([^\]]*)\]$/, "$1");
  return QUOTABLE.test(plain) && !plain.includes(",") ? plain : "unknown";
}

const WORD = /^[\w.-]+$/;
/** What a quoted string holds without a backslash. */
const QUOTABLE = /^[!#-[\]-~]+$/;

function matching(form: RegExp, text = ""): string {
  return form.test(text) ? text : "";
}

function firstOf(list: string): string {
  return list.split(",", 1)[0]!.trim();
}

function append(before: string, value: string): string {
  return before === "" ? value : `${before}, ${value}`;
}
