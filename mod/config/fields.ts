/**
 * The kinds of field that the schema is made of: durations, sizes, shares, names, addresses, numbers, choices.
 *
 * Each takes what a person writes and gives what the program uses (milliseconds, bytes, parsed addresses). A text
 * where a number or a yes/no is wanted is read as one, since `${NAME}` always gives text. Pure.
 */
import { z } from "zod";
import { formatCidr, formatIp, type HostPort, parseCidr, parseHostPort, parseIp } from "../base/address.ts";
import { DURATION_PATTERN, formatDuration, parseDuration } from "../base/duration.ts";
import { formatSize, parseSize, SIZE_PATTERN } from "../base/size.ts";
import { quoteText } from "./problem.ts";

/** A field read from text by `parse`, which gives null for what it does not understand. */
function parsed<T>(parse: (text: string) => T | null, kind: string, hint: string) {
  return z.string({ error: () => hint }).transform((text, context): T => {
    const value = parse(text);
    if (value !== null) return value;
    context.addIssue({ code: "custom", message: `${hint}, not ${quoteText(text)}` });
    return z.NEVER;
  }).meta({ kind });
}

/** A duration with a unit, in milliseconds. */
export function duration(minMs = 1) {
  const hint = "must be a duration with a unit, such as 250ms, 2s, 5m or 1h";
  return parsed(parseDuration, "duration", hint)
    .refine((ms) => ms >= minMs, `must be at least ${formatDuration(minMs)}`)
    .meta({ kind: "duration", pattern: DURATION_PATTERN });
}

/** A size in bytes; 1024-based units. */
export function size(min = 0, max = Number.MAX_SAFE_INTEGER) {
  const hint = "must be a size such as 512, 64k or 1m";
  const text = (value: unknown) => Number.isSafeInteger(value) ? String(value) : value;
  return z.preprocess(text, parsed(parseSize, "size", hint))
    .refine((bytes) => bytes >= min, `must be at least ${formatSize(min)}`)
    .refine((bytes) => bytes <= max, `must be at most ${formatSize(max)}`)
    .meta({ kind: "size", pattern: SIZE_PATTERN, type: ["string", "integer"] });
}

const RATE = /^([1-9][0-9]{0,6})\/([smhd])$/;
const PERIODS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** How often something may happen; becomes the milliseconds from one to the next, mostly no whole number. */
export function rate() {
  return parsed(
    (text) => {
      const found = RATE.exec(text);
      return found === null ? null : PERIODS[found[2]!]! / Number(found[1]);
    },
    "rate",
    "must be a number a second, minute, hour or day, such as 10/s, 100/m, 1000/h or 5000/d",
  ).meta({ kind: "rate", pattern: RATE.source });
}

/** A whole number between two bounds. */
export function integer(min: number, max: number) {
  const number = (value: unknown) =>
    typeof value === "string" && /^-?[0-9]{1,15}$/.test(value) ? Number(value) : value;
  const error = `must be a whole number from ${min} to ${max}`;
  return z.preprocess(number, z.int({ error }).min(min, error).max(max, error));
}

/** Yes or no. */
export function flag() {
  const boolean = (value: unknown) => value === "true" ? true : value === "false" ? false : value;
  return z.preprocess(boolean, z.boolean());
}

/** `false`, where something else is turned off. */
export function off() {
  return z.preprocess((value) => value === "false" ? false : value, z.literal(false));
}

/** A share as 0–1 or as a percentage. */
export function share() {
  const hint = "must be a share such as 20% or 0.2";
  const text = (value: unknown) => typeof value === "number" ? String(value) : value;
  return z.preprocess(text, parsed(parseShare, "share", hint)).meta({
    kind: "share",
    pattern: SHARE.source,
    type: ["string", "number"],
  });
}

const SHARE = /^[0-9]{1,3}(\.[0-9]+)?%?$/;

function parseShare(text: string): number | null {
  if (!SHARE.test(text)) return null;
  const value = text.endsWith("%") ? Number(text.slice(0, -1)) / 100 : Number(text);
  return value <= 1 ? value : null;
}

/** The name of a listener, a pool or a server: it stands in commands (`POOL/SERVER`), metrics and logs. */
export function name() {
  const hint = "must be a name of 1 to 100 letters, digits and . _ - : [ ], without spaces or slashes";
  return z.string().regex(NAME, hint).meta({ kind: "name" });
}

/** What a name looks like. */
export const NAME = /^[A-Za-z0-9_[][A-Za-z0-9._:[\]-]{0,99}$/;

/** Text without control characters, which could split a header or a log line. */
export function line(minLength = 0, maxLength = 4096) {
  return z.string()
    .min(minLength, minLength === 1 ? "must not be empty" : `must be at least ${minLength} characters`)
    .max(maxLength, `must be at most ${maxLength} characters`)
    .refine((text) => !hasControl(text), "must not contain control characters");
}

function hasControl(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}

/** A token of HTTP (RFC 9110 section 5.6.2): a method or a header name. */
export function token(what: string) {
  return z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/, `must be ${what}`);
}

/** Address and port of a server. */
export function serverAddress() {
  const hint = "must be host:port or [v6]:port, such as 10.0.0.11:8080";
  return parsed(
    (text) => {
      const address = parseHostPort(text);
      return address === null || address.port === 0 ? null : address;
    },
    "host:port",
    hint,
  );
}

/** A listener's address, perhaps with a range of ports; `lastPort` is there only when it is one. */
export interface BindAddress extends HostPort {
  readonly lastPort?: number;
}

/** What a listener is bound to: an address and a port, or a range of ports. */
export function bindAddresses() {
  const hint = "must be ip:port, [v6]:port or :port, such as 0.0.0.0:8080";
  return parsed(parseBinds, "bind", hint);
}

function parseBinds(text: string): BindAddress | null {
  const range = /^(.*:[0-9]+)-([0-9]+)$/.exec(text);
  if (range === null) return parseBind(text);
  const first = parseBind(range[1]!);
  const last = parseBind(`:${range[2]}`);
  if (first === null || last === null || first.port === 0 || last.port <= first.port) return null;
  return { ...first, lastPort: last.port };
}

/** What an admin address is bound to. The wildcard of both families has become `::`. */
export function bindAddress() {
  const hint = "must be ip:port, [v6]:port or :port, such as 0.0.0.0:8080";
  return parsed(parseBind, "bind", hint);
}

function parseBind(text: string): HostPort | null {
  const address = parseHostPort(text.startsWith(":") ? `[::]${text}` : text);
  return address === null || parseIp(address.host) === null ? null : address;
}

/** The name of a network interface (IFNAMSIZ is 16 with the final zero). */
export function interfaceName() {
  return z.string().regex(INTERFACE, "must be the name of an interface, such as eth0");
}

const INTERFACE = /^(?!\.{1,2}$)[^\s/:]{1,15}$/;

/** A block of addresses, canonical. */
export function cidr() {
  return parsed(
    (text) => {
      const block = parseCidr(text);
      return block === null ? null : formatCidr(block);
    },
    "CIDR block",
    "must be a CIDR block or an IP address, such as 10.0.0.0/8",
  );
}

/** The blocks that `all` stands for. */
const EVERYBODY = ["0.0.0.0/0", "::/0"];

/** A block of addresses, or `all` for every address of both families; a list, canonical. */
export function blocks() {
  return parsed(
    (text) => {
      const block = parseCidr(text);
      return text === "all" ? EVERYBODY : block === null ? null : [formatCidr(block)];
    },
    "CIDR block",
    "must be a CIDR block, an IP address or all, such as 10.0.0.0/8",
  );
}

/** One IP address, canonical. */
export function ipAddress() {
  return parsed(
    (text) => {
      const address = parseIp(text);
      return address === null ? null : formatIp(address);
    },
    "IP address",
    "must be an IP address, such as 10.0.0.2",
  );
}

/** An address of an interface: `ip/prefix`, or an IP with the prefix of a single address. The IP is canonical. */
export function addressWithPrefix() {
  return parsed(
    parseAddressWithPrefix,
    "IP address/prefix",
    "must be an IP address with or without a prefix, such as 203.0.113.10/24",
  );
}

function parseAddressWithPrefix(text: string): { address: string; prefix: number } | null {
  const [ip = "", prefix, more] = text.split("/");
  const address = parseIp(ip);
  if (address === null || more !== undefined) return null;
  const bits = address.length * 8;
  if (prefix === undefined) return { address: formatIp(address), prefix: bits };
  if (!/^[0-9]{1,3}$/.test(prefix) || Number(prefix) < 1 || Number(prefix) > bits) return null;
  return { address: formatIp(address), prefix: Number(prefix) };
}

/** One of a few words. */
export function choice<const T extends readonly [string, ...string[]]>(...words: T) {
  return z.enum(words);
}

/** One of a few numbers. */
export function oneOf<const T extends readonly [number, ...number[]]>(...numbers: T) {
  const number = (value: unknown) =>
    typeof value === "string" && /^[0-9]{1,15}$/.test(value) ? Number(value) : value;
  return z.preprocess(number, z.literal(numbers));
}

/** One value or a list of at least one, always a list inside. */
export function oneOrMore<T extends z.ZodType>(item: T) {
  const one = item.transform((value): z.output<T>[] => [value as z.output<T>]);
  return z.union([one, z.array(item).min(1, "must not be an empty list")]);
}

/** An issue between several fields of an object, any of which may be the wrong one. */
export function acrossIssue(message: string, ...path: string[]) {
  return { code: "custom" as const, message, path, params: { across: true } };
}

/** An issue with a key that is one too many, whatever its value is. */
export function keyIssue(message: string, ...path: string[]) {
  return { code: "custom" as const, message, path, params: { at: "key" } };
}

/** Where a file is, or a program. */
export function absolutePath() {
  return line(1).refine((path) => path.startsWith("/"), { error: "must be an absolute path" });
}
