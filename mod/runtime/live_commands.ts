/**
 * From what is changed live and a command to what is changed then, or to why it cannot be. Pure: when and by whom is
 * told; what the rules of a configuration say of it is found out later.
 */
import {
  configuredName,
  countLive,
  type LiveChanges,
  type LiveServer,
  MAX_LIVE_SERVERS,
} from "../config/live.ts";
import { closest } from "../config/suggest.ts";
import type { Command, Refusal } from "./commands.ts";

export type LiveCommand = Extract<
  Command,
  { do: "setServer" | "addServer" | "removeServer" | "reset" | "setLogLevel" }
>;

/** `at` in milliseconds since 1970; `by` in words. */
export interface Stamp {
  readonly at: number;
  readonly by: string;
}

/** The names of the servers by pool, those that were added live included. */
export type ServerNames = ReadonlyMap<string, readonly string[]>;

export function changeLive(
  live: LiveChanges,
  command: LiveCommand,
  servers: ServerNames,
  stamp: Stamp,
): LiveChanges | Refusal {
  if (command.do === "setLogLevel") return { ...live, logLevel: { ...stamp, level: command.level } };
  if (command.do === "reset" && command.pool === undefined) return { pools: {} };
  const pool = command.pool!;
  const names = servers.get(pool);
  if (names === undefined) return missing(`pool ${pool}`, pool, [...servers.keys()]);
  if (command.do === "reset") return resetPool(live, pool, command.server);
  const { server } = command;
  const changed = live.pools[pool] ?? {};
  const put = (one: LiveServer) => ({
    ...live,
    pools: { ...live.pools, [pool]: { ...changed, [server]: one } },
  });
  if (command.do === "addServer") {
    if (names.includes(server)) return refuse(409, `pool ${pool} has a server ${server} already`);
    const { settings, state, weight } = command;
    return bounded(put({ ...stamp, added: settings, ...defined({ state, weight }) }));
  }
  const known = names.includes(configuredName(server));
  if (!known) return missing(`server ${server} in pool ${pool}`, server, names);
  if (command.do === "removeServer") {
    if (changed[server]?.added !== undefined) return resetPool(live, pool, server);
    if (!names.includes(server)) {
      return refuse(409, `${server} is one address of a name, which goes with the name only`);
    }
    return bounded(put({ ...stamp, removed: true }));
  }
  const { state, weight } = command;
  if (state === undefined && weight === undefined) {
    return refuse(400, "nothing is to be set: state, weight or both");
  }
  return bounded(put({ ...changed[server], ...stamp, ...defined({ state, weight }) }));
}

function resetPool(live: LiveChanges, pool: string, server: string | undefined): LiveChanges {
  const { [pool]: changed = {}, ...others } = live.pools;
  if (server === undefined) return { ...live, pools: others };
  const { [server]: _, ...rest } = changed;
  return { ...live, pools: { ...others, [pool]: rest } };
}

function bounded(live: LiveChanges): LiveChanges | Refusal {
  return countLive(live) <= MAX_LIVE_SERVERS
    ? live
    : refuse(409, `more than ${MAX_LIVE_SERVERS} servers would be changed live: put them into the file`);
}

function missing(what: string, name: string, known: readonly string[]): Refusal {
  const near = closest(name, known);
  const listed = known.length <= 8 ? `; there is ${known.join(", ") || "none"}` : "";
  return refuse(404, `there is no ${what}${near === null ? listed : `; did you mean ${near}?`}`);
}

function refuse(status: Refusal["status"], problem: string): Refusal {
  return { status, problems: [problem] };
}

function defined<T extends object>(settings: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as never;
}
