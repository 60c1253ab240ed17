/**
 * Which guards there are, in the order in which they are asked: the cheapest first, and nobody is asked for a
 * password or counted who is not to be here at all. A new guard is a file, its schema, and a line here. Pure.
 */
import type { GuardsSnapshot } from "../config/guard_snapshot.ts";
import { Access } from "./access.ts";
import type { Guard } from "./guard.ts";

/** What a live listener or route has of its settings. */
export interface Guarded {
  /** Of requests; null: nobody is asked. */
  readonly guards: readonly Guard[] | null;
  /** Of the connections of a tcp listener, of the clients of udp; null: everybody may come. */
  readonly access: readonly Access[] | null;
}

const UNGUARDED: Guarded = { guards: null, access: null };

type Make = (settings: GuardsSnapshot) => readonly Guard[];

const GUARDS: readonly Make[] = [
  ({ access = [] }) => access.map((each) => new Access(each)),
];

/** Makes the guards of a listener or route. */
export function makeGuards(protocol: "http" | "tcp" | "udp", settings: GuardsSnapshot | undefined): Guarded {
  if (settings === undefined) return UNGUARDED;
  const { access = [] } = settings;
  if (protocol !== "http") return { guards: null, access: access.map((each) => new Access(each)) };
  return { guards: GUARDS.flatMap((make) => make(settings)), access: null };
}
