/**
 * The address of the client as the proxies in front tell it: of a list the last that none of them is, as nginx's
 * `real_ip_recursive` takes it. Each address was written by the one behind it, so nothing is believed that comes
 * before one that is not trusted. Pure.
 */
import { forwardedElements, nodeAddress } from "./forwarded_field.ts";

/** Where it is looked for unless the configuration says otherwise. */
export const CLIENT_FIELDS: readonly string[] = ["x-forwarded-for", "forwarded"];

/**
 * `fields` in lower case: the first that came counts; `peer`: who is connected, and is believed. What cannot be read
 * ends the way back: the address behind it is the client's.
 */
export function clientAddress(
  fields: readonly string[],
  valueOf: (name: string) => string | null,
  peer: string,
  trusts: (address: string) => boolean,
): string {
  const name = fields.find((field) => valueOf(field) !== null);
  if (name === undefined) return peer;
  let client = peer;
  for (const node of nodesOf(name, valueOf(name)!).reverse()) {
    const address = nodeAddress(node);
    if (address === null) return client;
    client = address;
    if (!trusts(client)) return client;
  }
  return client;
}

function nodesOf(name: string, value: string): string[] {
  if (name !== "forwarded") return value.split(",");
  return forwardedElements(value).map((element) => element.get("for") ?? "");
}
