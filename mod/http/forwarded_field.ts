/**
 * The field `Forwarded` (RFC 7239), read: one element a proxy, each with its parameters. What is malformed is left out
 * of an element, never guessed. Pure text in, text out.
 */
import { formatIp, parseIp, unmapIp } from "../base/address.ts";

/** Parameters of one element by lower-case name; values without their quotes. */
export type Element = ReadonlyMap<string, string>;

/** One parameter, and the sign behind it. Quoted strings may hold commas and semicolons (section 4). */
const PARAMETER = /[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:"((?:[^"\\]|\\.)*)"|([^",;]*))[ \t]*([,;]|$)/y;

/** The elements in their order; those behind one that cannot be read are left out. */
export function forwardedElements(value: string): Element[] {
  const elements: Element[] = [];
  let element = new Map<string, string>();
  PARAMETER.lastIndex = 0;
  for (;;) {
    const found = PARAMETER.exec(value);
    if (found === null) return elements;
    const [, name = "", quoted, plain = "", end] = found;
    element.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, "$1") ?? plain.trim());
    if (end === ";") continue;
    elements.push(element);
    if (end === "") return elements;
    element = new Map();
  }
}

/** The address of a node as proxies write it, with or without brackets and a port; null: it is none (`unknown`). */
export function nodeAddress(node: string): string | null {
  const text = node.trim();
  const bracketed = /^\[([^\]]*)\](?::[0-9]{1,5})?$/.exec(text)?.[1];
  const ip = parseIp(bracketed ?? text.replace(/^([0-9.]+):[0-9]{1,5}$/, "$1"));
  return ip === null ? null : formatIp(unmapIp(ip));
}
