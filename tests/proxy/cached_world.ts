/** A whole worker whose one route has a cache, for the tests of it. */
import type { CacheSnapshot } from "../../mod/config/cache_snapshot.ts";
import type { ListenerSnapshot, RouteSnapshot } from "../../mod/config/snapshot.ts";
import type { Message } from "../sim/http_text.ts";
import { reply, type ServedConnection } from "../sim/parties.ts";
import { simulate, type World, type WorldOptions } from "../sim/world.ts";

export const CACHE: CacheSnapshot = {
  identity: "",
  ttl: [],
  maxTtlMs: null,
  staleWhileRevalidateMs: 0,
  staleIfErrorMs: 0,
  key: { host: true, query: { kind: "all" }, headers: [], cookies: [] },
  bypass: [],
  collapse: { waiting: 100, timeoutMs: 5000 },
  requestDirectives: false,
  statusHeader: true,
};
export const ANY: RouteSnapshot["match"] = { hosts: [], methods: [], headers: [], query: [] };
export const MINUTE = "Cache-Control: max-age=60\r\n";

interface Cached {
  readonly cache?: Partial<CacheSnapshot>;
  readonly route?: Partial<RouteSnapshot>;
  readonly world?: WorldOptions;
}

/** Runs a world whose one server says how often it was asked; `answer` may say otherwise. */
export function withCache(
  run: (world: World, asked: () => number) => void,
  { cache = {}, route = {}, world: options = {} }: Cached = {},
  answer: (request: Message, connection: ServedConnection, asked: number) => void = counting(MINUTE),
): void {
  const routes = [{
    match: ANY,
    action: { kind: "pool", pool: "app" },
    ...route,
    cache: { ...CACHE, ...cache },
  }];
  const listener = { timeouts: { keepAliveMs: 600_000 } as ListenerSnapshot["timeouts"] };
  simulate({ servers: 1, listener, ...options, routes: routes as RouteSnapshot[] }, (world) => {
    let asked = 0;
    world.environment.cache.store.resize(256 * 1024, 64 * 1024);
    world.servers[0]!.answer = (request, connection) => answer(request, connection, ++asked);
    run(world, () => asked);
  });
}

export function counting(more: string, status = 200) {
  return (_request: Message, connection: ServedConnection, asked: number) =>
    connection.send(reply(status, `answer ${asked}`, more));
}

/** Sends requests one after the other, each once the one before is answered. */
export function ask(
  world: World,
  ...requests: readonly (readonly [path: string, more?: string, method?: string])[]
) {
  const client = world.connect();
  for (const [path, more = "", method = "GET"] of requests) {
    client.request(method, path, more);
    world.settle();
  }
  return client;
}

export const bodies = (answers: readonly Message[]) => answers.map(({ body }) => body);
/** Without the time that is left of a hit, of which some may have passed. */
export const statusOf = ({ headers }: Message) =>
  headers.get("cache-status")?.replace("tandem; ", "").replace(/; ttl=(59|60)/, "");
export const words = (world: World) => world.log.map(({ cache }) => cache).join(" ");
