/**
 * The schema of guards, the same on listeners and on routes, and what a route makes of those of its listener. Pure.
 */
import { z } from "zod";
import { accessSetting } from "./access_schema.ts";
import type { GuardsSnapshot } from "./guard_snapshot.ts";

/** The fields of a listener or route that are guards. */
export const guardFields = {
  access: accessSetting,
};

const GuardsSchema = z.strictObject(guardFields);

export type GuardsConfig = z.output<typeof GuardsSchema>;
export const GUARD_KEYS = Object.keys(guardFields) as readonly (keyof GuardsConfig)[];

/** The guards of a route, or, with no `route`, those of requests that none takes. */
export function guardsSnapshot(
  listener: GuardsConfig,
  route: GuardsConfig | null,
): { guards?: GuardsSnapshot } {
  const access = both(listener.access, route?.access);
  const guards: GuardsSnapshot = { ...(access.length === 0 ? {} : { access }) };
  return Object.keys(guards).length === 0 ? {} : { guards };
}

/** The listener's and the route's, unless that says that there are to be none. */
function both<T>(
  listener: T | readonly T[] | false | undefined,
  route: T | readonly T[] | false | undefined,
): T[] {
  if (route === false) return [];
  return [listener, route].flatMap((each) => each === undefined || each === false ? [] : each as T | T[]);
}
