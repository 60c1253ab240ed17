/**
 * Access by address: of all blocks that hold an address the narrowest decides, so exceptions may be written in any
 * order and a list may have thousands of blocks. One look-up for each length of prefix that there is. Pure.
 */
import { type IpBytes, parseCidr, parseIp, unmapIp } from "../base/address.ts";
import type { AccessSnapshot } from "../config/guard_snapshot.ts";
import type { Denial, Guard, GuardClient, Verdict } from "./guard.ts";

const DENIED: Denial = { kind: "deny", code: "accessDenied" };

/** The blocks of one length, by their address; true: allowed. */
interface Level {
  readonly prefix: number;
  readonly blocks: Map<string, boolean>;
}

export class Access implements Guard {
  readonly #v4: readonly Level[];
  readonly #v6: readonly Level[];
  readonly #otherwise: boolean;

  constructor({ allow, deny }: AccessSnapshot) {
    this.#v4 = levels(allow, deny, 4);
    this.#v6 = levels(allow, deny, 16);
    this.#otherwise = allow.length === 0;
  }

  /** An address that cannot be read is in no block. */
  allows(ip: IpBytes | null): boolean {
    if (ip === null) return this.#otherwise;
    const address = unmapIp(ip);
    for (const { prefix, blocks } of address.length === 4 ? this.#v4 : this.#v6) {
      const allowed = blocks.get(keyOf(address, prefix));
      if (allowed !== undefined) return allowed;
    }
    return this.#otherwise;
  }

  check({ ip }: GuardClient): Verdict {
    return this.allows(ip) ? null : DENIED;
  }
}

/** Whether an address, as text, may come in by all of these; null: everybody may. */
export function allowsAll(all: readonly Access[] | null, address: string): boolean {
  if (all === null) return true;
  const ip = parseIp(address);
  return all.every((access) => access.allows(ip));
}

/** The longest prefix first. Of a block that is in both lists, the one that denies counts. */
function levels(allow: readonly string[], deny: readonly string[], size: 4 | 16): Level[] {
  const found = new Map<number, Level>();
  for (const [texts, allowed] of [[allow, true], [deny, false]] as const) {
    for (const text of texts) {
      const { bytes, prefix } = parseCidr(text)!;
      if (bytes.length !== size) continue;
      const level = found.get(prefix) ?? { prefix, blocks: new Map() };
      found.set(prefix, level);
      level.blocks.set(keyOf(bytes, prefix), allowed);
    }
  }
  return [...found.values()].sort((a, b) => b.prefix - a.prefix);
}

/** The first `prefix` bits of an address. */
function keyOf(ip: IpBytes, prefix: number): string {
  const whole = prefix >> 3;
  let key = "";
  for (let at = 0; at < whole; at++) key += String.fromCharCode(ip[at]!);
  return (prefix & 7) === 0 ? key : key + String.fromCharCode(ip[whole]! & 0xff00 >> (prefix & 7));
}
