/**
 * The address of the client as the proxies in front tell it: of a list the last that none of them is, as nginx's
 * `real_ip_recursive` takes it. Each address was written by the one behind it, so nothing is believed that comes
 * before one that is not trusted. Pure.
 */
import { forwardedElements, nodeAddress } from "./forwarded_field.ts";

/**
 * `name` (lower case) and `value` of the field; null: it did not come. `peer`: who is connected. What cannot be read
 * ends the way back: the last address that was is the client's.
 */
export function clientAddress(
  name: string,
  value: string | null,
  peer: string,
  trusts: (address: string) => boolean,
): string {
  if (value === null || !trusts(peer)) return peer;
  let client = peer;
  for (const node of nodesOf(name, value).reverse()) {
    if (!trusts(client)) break;
    const address = nodeAddress(node);
    if (address === null) break;
    client = address;
  }
  return client;
}

function nodesOf(name: string, value: string): string[] {
  if (name !== "forwarded") return value.split(",");
  return forwardedElements(value).map((element) => element.get("for") ?? "");
}
