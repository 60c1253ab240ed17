/**
 * The schema of guards, the same on listeners and on routes, and what a route makes of those of its listener. Pure.
 */
import { z } from "zod";
import { accessSetting } from "./access_schema.ts";
import type {
  ConcurrencySnapshot,
  GuardsSnapshot,
  LimitSnapshot,
  RateLimitSnapshot,
  TarpitSnapshot,
} from "./guard_snapshot.ts";
import { basicAuthSnapshot, jwtSnapshot } from "./auth_build.ts";
import { basicAuthSetting, jwtSetting } from "./auth_schema.ts";
import { corsSetting, securityHeadersSetting } from "./cors_schema.ts";
import { duration, integer, off } from "./fields.ts";
import type { HeaderRules, ResponseRules, RouteMatch } from "./snapshot.ts";
import {
  type ConcurrencyLimitConfig,
  concurrencyLimitSetting,
  type ConnectionLimitConfig,
  type LimitConfig,
  type RateLimitConfig,
  rateLimitSetting,
} from "./limit_schema.ts";

const tarpit = z.strictObject({
  delay: duration().prefault("10s").describe("How long every request waits before anything is done with it."),
  held: integer(1, 100_000).prefault(1000)
    .describe("Most requests that wait at a time, in each worker; what would be more goes on at once."),
}).transform(({ delay, held }): TarpitSnapshot => ({ delayMs: delay, most: held }));

const tarpitSetting = z.union([off(), tarpit]).optional().describe(
  "Slow down whoever asks, mostly beside `respond`. A route's stands in the place of the listener's; `false`: none.",
);

/** The fields of a listener or route that are guards. */
export const guardFields = {
  access: accessSetting,
  rateLimit: rateLimitSetting,
  concurrencyLimit: concurrencyLimitSetting,
  cors: corsSetting,
  tarpit: tarpitSetting,
  basicAuth: basicAuthSetting,
  jwt: jwtSetting,
  securityHeaders: securityHeadersSetting,
};

const GuardsSchema = z.strictObject(guardFields);

export type GuardsConfig = z.output<typeof GuardsSchema>;
export const GUARD_KEYS = Object.keys(guardFields) as readonly (keyof GuardsConfig)[];
/** A listener or route without guards. */
export const NO_GUARDS = Object.fromEntries(GUARD_KEYS.map((key) => [key, undefined])) as GuardsConfig;

/** A listener or a route with what it is called: unique, and the same at every reload. */
export interface GuardPlace {
  readonly config: GuardsConfig;
  readonly label: string;
}

/** The guards of a route, or, with no `route`, those of requests that none takes. */
export function guardsSnapshot(
  listener: GuardPlace,
  route: GuardPlace | null,
  files: ReadonlyMap<string, string>,
): { guards?: GuardsSnapshot; securityHeaders?: ResponseRules } {
  const scope = (route ?? listener).label;
  const access = both(listener, route, ({ access }) => access).map(([one]) => one);
  const rateLimits = both(listener, route, ({ rateLimit }) => rateLimit)
    .map(([one, name]) => rateLimitSnapshot(one, name, scope));
  const concurrencyLimits = both(listener, route, ({ concurrencyLimit }) => concurrencyLimit)
    .map(([one, name]) => concurrencySnapshot(one, name, scope));
  const cors = nearest(listener, route, ({ cors }) => cors);
  const tarpit = nearest(listener, route, ({ tarpit }) => tarpit);
  const securityHeaders = nearest(listener, route, ({ securityHeaders }) => securityHeaders);
  const basicAuth = nearest(listener, route, ({ basicAuth }) => basicAuth);
  const jwt = nearest(listener, route, ({ jwt }) => jwt);
  const guards: GuardsSnapshot = {
    ...(access.length === 0 ? {} : { access }),
    ...(rateLimits.length === 0 ? {} : { rateLimits }),
    ...(concurrencyLimits.length === 0 ? {} : { concurrencyLimits }),
    ...(cors === undefined ? {} : { cors }),
    ...(tarpit === undefined ? {} : { tarpit }),
    ...(basicAuth === undefined ? {} : { basicAuth: basicAuthSnapshot(basicAuth, files) }),
    ...(jwt === undefined ? {} : { jwt: jwtSnapshot(jwt, files) }),
  };
  return {
    ...(Object.keys(guards).length === 0 ? {} : { guards }),
    ...(securityHeaders === undefined ? {} : { securityHeaders }),
  };
}

/** The route's, or else the listener's; undefined: there is none, or is to be none. */
function nearest<T extends object>(
  listener: GuardPlace,
  route: GuardPlace | null,
  take: (config: GuardsConfig) => T | false | undefined,
): T | undefined {
  const given = (route === null ? undefined : take(route.config)) ?? take(listener.config);
  return given === false ? undefined : given;
}

/** The listener's and the route's, each with a name for it, unless the route says that there are to be none. */
function both<T extends object>(
  listener: GuardPlace,
  route: GuardPlace | null,
  take: (config: GuardsConfig) => T | readonly T[] | false | undefined,
): [T, name: string][] {
  if (route !== null && take(route.config) === false) return [];
  return [listener, route].flatMap((place) => {
    const given = place === null ? undefined : take(place.config);
    if (given === undefined || given === false) return [];
    const all = (Array.isArray(given) ? given : [given]) as T[];
    return all.map((one, at): [T, string] => [one, `${place!.label}${at === 0 ? "" : ` ${at + 1}`}`]);
  });
}

function rateLimitSnapshot(limit: RateLimitConfig, name: string, scope: string): RateLimitSnapshot {
  const { rate: stepMs, burst, delay } = limit;
  return { kind: "rate", ...limitSnapshot(limit, name, scope), stepMs, burst, delay };
}

function concurrencySnapshot(
  limit: ConcurrencyLimitConfig,
  name: string,
  scope: string,
): ConcurrencySnapshot {
  return { kind: "requests", ...limitSnapshot(limit, name, scope), most: limit.requests };
}

/** The limit of a listener's connections. */
export function connectionLimitSnapshot(
  limit: ConnectionLimitConfig | undefined,
  label: string,
): { connectionLimit?: ConcurrencySnapshot } {
  if (limit === undefined) return {};
  const { connections, name = label, mask, size, dryRun } = limit;
  const key = [{ kind: "address", name: "" }] as const;
  // Whoever is refused gets no answer.
  return {
    connectionLimit: {
      kind: "connections",
      name,
      key,
      mask,
      scope: label,
      size,
      status: 0,
      dryRun,
      most: connections,
    },
  };
}

/** `name`: unless it was given one. */
function limitSnapshot(limit: LimitConfig, name: string, scope: string): Omit<LimitSnapshot, "kind"> {
  const { key, mask, size, status, dryRun } = limit;
  return { name: limit.name ?? name, key, mask, scope, size, status, dryRun };
}

/** Names the routes of a listener: by what they match, and by their number among those that are called the same. */
export function routeLabels(listener: string): (match: Pick<RouteMatch, "hosts" | "path">) => string {
  const taken = new Map<string, number>();
  return ({ hosts, path }) => {
    const label = `route ${listener} ${hosts[0] ?? ""}${path ?? "*"}`;
    const count = (taken.get(label) ?? 0) + 1;
    taken.set(label, count);
    return count === 1 ? label : `${label} #${count}`;
  };
}

/** Of requests to servers: the headers that claims of tokens are in; undefined: there are none. */
export function claimRules(listener: GuardsConfig, route: GuardsConfig): HeaderRules | undefined {
  const jwt = route.jwt ?? listener.jwt;
  if (jwt === undefined || jwt === false || jwt.claims.length === 0) return undefined;
  const set = jwt.claims.map(([name, claim]) => [name, `$claim(${claim})`] as const);
  return { remove: [], replace: [], set, add: [] };
}
