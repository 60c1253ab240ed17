/** Worlds whose pool has sessions, and clients that keep cookies. */
import type { CookieSticky, StickySnapshot, TableSticky } from "../../mod/config/sticky_snapshot.ts";
import type { SimClient } from "../sim/parties.ts";
import type { Message } from "../sim/http_text.ts";
import { simulate, type World, type WorldOptions } from "../sim/world.ts";

const COOKIE: CookieSticky = {
  kind: "cookie",
  mode: "insert",
  name: "SRV",
  indirect: true,
  noCache: false,
  preserve: false,
  maxIdleMs: 0,
  maxLifeMs: 0,
  attributes: "; Path=/",
  redispatch: true,
};

const TABLE: TableSticky = {
  kind: "table",
  by: [{ kind: "sourceIp", name: "" }],
  mask: { ipv4: 32, ipv6: 128 },
  ttlMs: 60_000,
  size: 64,
  learn: [],
  storeRequest: true,
  redispatch: true,
};

export const cookie = (more: Partial<CookieSticky> = {}): CookieSticky => ({ ...COOKIE, ...more });
export const table = (more: Partial<TableSticky> = {}): TableSticky => ({ ...TABLE, ...more });

/** Servers a, b and c with ids of two letters. */
export function withSessions(
  sticky: StickySnapshot,
  run: (world: World) => void,
  more: WorldOptions = {},
): void {
  const servers = ["a", "b", "c"].map((name, slot) => ({ name, slot, id: `i${name}` }));
  simulate({ servers, ...more, pool: { ...more.pool, sticky } }, run);
}

/** What an answer sets, or nothing. */
export function setCookie(answer: Message): string {
  return answer.headers.get("set-cookie") ?? "";
}

/** Asks over one connection and answers what came. */
export function ask(world: World, client: SimClient, more = "", path = "/"): Message {
  client.get(path, more);
  world.settle();
  return client.answers.at(-1)!;
}

/** Which server said it: the first word of what `echo` answers. */
export function serverOf(answer: Message): string {
  return answer.body.split(" ")[0]!;
}
