/**
 * Which guards there are, in the order in which they are asked: the cheapest first, and nobody is asked for a
 * password or counted who is not to be here at all. A new guard is a file, its schema, and a line here. Pure.
 */
import type { ConcurrencySnapshot, GuardsSnapshot, LimitSnapshot } from "../config/guard_snapshot.ts";
import { limitId } from "../config/limits_of.ts";
import { Access } from "./access.ts";
import { BasicAuth } from "./basic_auth.ts";
import { Concurrency, ConcurrencyLimit } from "./concurrency.ts";
import { Cors } from "./cors.ts";
import type { Guard } from "./guard.ts";
import type { Passwords, Tokens } from "./identity.ts";
import { Jwt } from "./jwt.ts";
import type { LimitMemory } from "./limit_memory.ts";
import { RateLimit } from "./rate_limit.ts";
import { Tarpit } from "./tarpit.ts";

/** What a live listener or route has of its settings. */
export interface Guarded {
  /** Of requests; null: nobody is asked. */
  readonly guards: readonly Guard[] | null;
  /** Of the connections of a tcp listener, of the clients of udp; null: everybody may come. */
  readonly access: readonly Access[] | null;
}

const UNGUARDED: Guarded = { guards: null, access: null };

/** What guards need of their worker. */
export interface GuardWorld {
  readonly worker: number;
  /** By what limits are known by. */
  readonly limits?: ReadonlyMap<string, LimitMemory>;
  readonly passwords?: Passwords;
  readonly tokens?: Tokens;
}

type Make = (settings: GuardsSnapshot, world: GuardWorld) => readonly Guard[];

const GUARDS: readonly Make[] = [
  ({ access = [] }) => access.map((each) => new Access(each)),
  ({ rateLimits = [] }, world) =>
    rateLimits.map((each) => new RateLimit(each, memoryOf(each, world), world.worker)),
  ({ concurrencyLimits = [] }, world) =>
    concurrencyLimits.map((each) => new ConcurrencyLimit(each, memoryOf(each, world), world.worker)),
  // Before credentials are asked for, which preflights never have.
  ({ cors }) => cors === undefined ? [] : [new Cors(cors)],
  ({ basicAuth }, { passwords }) => basicAuth === undefined ? [] : [new BasicAuth(basicAuth, passwords!)],
  ({ jwt }, { tokens }) => jwt === undefined ? [] : [new Jwt(jwt, tokens!)],
  ({ tarpit }) => tarpit === undefined ? [] : [new Tarpit(tarpit)],
];

/** Makes the guards of a listener or route. */
export function makeGuards(
  protocol: "http" | "tcp" | "udp",
  settings: GuardsSnapshot | undefined,
  world: GuardWorld,
): Guarded {
  if (settings === undefined) return UNGUARDED;
  const { access = [] } = settings;
  if (protocol !== "http") return { guards: null, access: access.map((each) => new Access(each)) };
  return { guards: GUARDS.flatMap((make) => make(settings, world)), access: null };
}

/** The limit of a listener's connections; null: there is none. */
export function makeConnectionLimit(
  settings: ConcurrencySnapshot | undefined,
  world: GuardWorld,
): Concurrency | null {
  return settings === undefined ? null : new Concurrency(settings, memoryOf(settings, world), world.worker);
}

function memoryOf(limit: LimitSnapshot, { limits }: GuardWorld): LimitMemory {
  const memory = limits?.get(limitId(limit));
  if (memory === undefined) throw new Error(`Cannot use the limit ${limit.name} as it has no memory`);
  return memory;
}
