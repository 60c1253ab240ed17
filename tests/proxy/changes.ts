/** Worlds whose rules are written as in a configuration file. */
import { changesSnapshot, routeSnapshot } from "../../mod/config/route_build.ts";
import type { Message } from "../sim/http_text.ts";
import { simulate, type World, type WorldOptions } from "../sim/world.ts";
import { good, listenerWith } from "../config/reading.ts";

/** A listener of these lines of YAML, in the simulator. The pool is `app`. `files`: texts by path. */
export async function withRules(
  lines: readonly string[],
  run: (world: World) => void,
  options: WorldOptions = {},
  files: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { listeners: [listener] } = await good(listenerWith(...lines));
  const texts = new Map(Object.entries(files));
  const routes = listener!.routes.map((route) => {
    const compress = route.compress ?? listener!.compress ?? null;
    return { ...routeSnapshot(route, "/", texts), ...(compress === null ? {} : { compress }) };
  });
  const rules = changesSnapshot(listener!, texts);
  simulate({ ...options, routes, listener: { ...options.listener, ...rules } }, run);
}

/** The head lines of a message, the first line left out, sorted. */
export function headersOf(message: Message | undefined, ...without: readonly string[]): string[] {
  if (message === undefined) throw new Error("There is no message");
  return [...message.headers].filter(([name]) => !without.includes(name))
    .map(([name, value]) => `${name}: ${value}`).sort();
}

/** What a server was asked, first line and headers. */
export function seenBy(world: World): readonly Message[] {
  return world.servers.flatMap(({ seen }) => seen);
}
