/**
 * A whole data worker in virtual time: the real sessions, balancers, slots, queue, counters, routes and deadlines
 * over simulated streams, scripted clients and scripted servers.
 *
 * `simulate` runs one and, at its end, lets all of it go and checks that nothing was left behind. Whatever chance
 * decides comes from the seed, which every failure names.
 */
import { LISTENER_COLUMN } from "../../mod/base/counters.ts";
import type { ErrorCode } from "../../mod/base/errors.ts";
import {
  CONTROL_THREAD,
  createSharedMemory,
  type OpenMemory,
  openSharedMemory,
} from "../../mod/base/shared_memory.ts";
import type {
  ListenerSnapshot,
  PoolSnapshot,
  RouteSnapshot,
  ServerSnapshot,
  Snapshot,
} from "../../mod/config/snapshot.ts";
import { ResponseCache } from "../../mod/cache/response_cache.ts";
import { Compressors } from "../../mod/compress/compressor.ts";
import { makeCompressor } from "../../mod/compress/zlib_io.ts";
import { formatHttpDate } from "../../mod/files/http_date.ts";
import { FileStore } from "../../mod/files/store.ts";
import { latin1 } from "../../mod/http/grammar.ts";
import { IdleConnections } from "../../mod/net/idle.ts";
import type { Passwords, Tokens } from "../../mod/guard/identity.ts";
import type { MakeTls } from "../../mod/net/tls.ts";
import { TICK_MS, type Timer, Wheel } from "../../mod/net/wheel.ts";
import type { LimitStatus } from "../../mod/observe/status.ts";
import type { LogText } from "../../mod/observe/put.ts";
import type { AccessRecord } from "../../mod/proxy/access_log.ts";
import { ChunkEncoder } from "../../mod/proxy/chunks.ts";
import type { ListenerState, ProxyEnvironment } from "../../mod/proxy/environment.ts";
import { HeadFacts } from "../../mod/proxy/facts.ts";
import { Http2Dialer } from "../../mod/proxy/http2_dialer.ts";
import { buildLive, type Live } from "../../mod/proxy/live.ts";
import { AccessRecorder } from "../../mod/proxy/record.ts";
import type { ServerConnection } from "../../mod/proxy/server_connection.ts";
import { openHttp2, openSession } from "../../mod/proxy/session.ts";
import type { ClientConnection } from "../../mod/proxy/client_connection.ts";
import type { Session } from "../../mod/proxy/stage.ts";
import { TableKeeper } from "../../mod/runtime/table_keeper.ts";
import { buildRouteTable } from "../../routes/table.ts";
import { assertEquals } from "../assert.ts";
import { LISTENER_TIMEOUTS, POOL_TIMEOUTS } from "../config/timeouts.ts";
import { SimDisk } from "./disk.ts";
import { Network, type NetworkOptions } from "./network.ts";
import { SimClient, SimDialer, SimServer } from "./parties.ts";
import { type Peer, SimStream } from "./stream.ts";

type Partly<T> = { [Key in keyof T]?: T[Key] extends object ? Partial<T[Key]> : T[Key] };

export interface WorldOptions extends NetworkOptions {
  readonly protocol?: ListenerSnapshot["protocol"];
  /** Number of servers in the pool, or what is special about each. */
  readonly servers?: number | readonly Partial<ServerSnapshot>[];
  readonly pool?: Partly<Omit<PoolSnapshot, "servers">>;
  /** Servers, by their numbers, that are in another pool than `app`, which is by this name and else the same. */
  readonly otherPools?: Readonly<Record<string, readonly number[]>>;
  readonly listener?: Partly<ListenerSnapshot>;
  readonly routes?: readonly RouteSnapshot[];
  /** Check passwords and tokens. */
  readonly credentials?: { readonly passwords?: Passwords; readonly tokens?: Tokens };
  /** Makes the listener's TLS; without: there is none. */
  readonly makeTls?: MakeTls;
}

/** What is kept of one line of the access log, as it is. */
const LOGGED = [
  ...["status", "retries", "pool", "server", "bytesIn", "bytesOut"] as const,
  ...["termination", "clientHost", "clientPort", "cache"] as const,
] as const;

export type Logged =
  & Pick<AccessRecord, (typeof LOGGED)[number]>
  & { readonly error: ErrorCode | ""; readonly host: string; readonly target: string };

const POOL: Omit<PoolSnapshot, "servers"> = {
  name: "app",
  row: 0,
  balance: "roundRobin",
  hashOn: { kind: "sourceIp", name: "" },
  hashMethod: "ring",
  check: null,
  passive: null,
  retry: { attempts: 2, on: ["connect", "empty"], budget: 0.2 },
  timeouts: POOL_TIMEOUTS,
  queue: { size: 100, timeoutMs: 5000 },
  whenAllDown: "fail",
};

const LISTENER: ListenerSnapshot = {
  name: "web",
  row: 0,
  binds: [],
  protocol: "http",
  trustedProxies: [],
  timeouts: LISTENER_TIMEOUTS,
  limits: { head: 16 * 1024, headers: 100, body: 0, bodyRate: 0, connections: 20_000 },
  tls: null,
  hsts: "",
  routes: [],
};

const ANY: RouteSnapshot["match"] = { hosts: [], methods: [], headers: [], query: [] };
const NAMES = "abcdefgh";
/** Most pools of a world. */
const POOLS = 4;

export class World {
  readonly network: Network;
  readonly servers: SimServer[];
  readonly environment: ProxyEnvironment;
  readonly encoder: ChunkEncoder;
  readonly recorder = new AccessRecorder();
  readonly memory: OpenMemory;
  readonly control: OpenMemory;
  readonly log: Logged[] = [];
  readonly tables = new TableKeeper(1, () => 0.5);
  readonly sessions = new Set<Session>();
  /** Reasons of TLS handshakes that failed. */
  readonly refusals: string[] = [];
  readonly state: ListenerState;
  /** Of requests that were traced and sampled; ids: trace, span and, when it goes on with a trace, parent. */
  readonly spans: (Pick<AccessRecord, "transport" | "route" | "server" | "error" | "bytesIn" | "bytesOut"> & {
    readonly ids: string;
    readonly continued: boolean;
  })[] = [];
  readonly disk = new SimDisk();
  readonly compressors: Compressors;
  /** Compressors at work. */
  compressing = 0;
  readonly idle = new IdleConnections<ServerConnection>();
  readonly #wheel: CountedWheel;
  readonly #makeTls: MakeTls;
  readonly #options: WorldOptions;
  #live: Live;
  #snapshot: Snapshot;
  #clients = 0;
  #hexes = 0;

  constructor(options: WorldOptions = {}) {
    this.#options = options;
    this.#makeTls = options.makeTls ?? (() => {
      throw new Error("Cannot terminate TLS in this world");
    });
    const network = this.network = new Network(options);
    network.readFile = (fd, at, most) => this.disk.readByNumber(fd, at, most);
    const given = options.servers ?? 2;
    const special = typeof given === "number" ? Array.from({ length: given }, () => ({})) : given;
    const servers = special.map((each, index) => serverSnapshot(each, index));
    this.servers = servers.map((each) => new SimServer(each.name, each.host, each.port));
    const shared = createSharedMemory({
      workers: 1,
      servers: 8,
      listeners: 1,
      pools: POOLS,
      waitersPerWorker: 64,
    });
    this.memory = openSharedMemory(shared, 0);
    this.control = openSharedMemory(shared, CONTROL_THREAD);
    for (const { slot, weight } of servers) this.control.slots.assign(slot, weight * 256, true);
    this.encoder = new ChunkEncoder(network.buffers);
    const { schedule } = network;
    this.#wheel = new CountedWheel(schedule.now);
    let ids = 0;
    this.environment = {
      buffers: network.buffers,
      wheel: this.#wheel,
      dialer: new SimDialer(network, this.servers),
      idle: this.idle,
      upstreams: new Set(),
      counters: this.memory.counters,
      facts: new HeadFacts(),
      files: new FileStore(this.disk),
      compressors: this.compressors = new Compressors({
        encodings: ["zstd", "br", "gzip"],
        make: (encoding, level) => {
          this.compressing++;
          const made = makeCompressor(encoding, level);
          return {
            get rest() {
              return made.rest;
            },
            write: (bytes, start, end, mode, out) => made.write(bytes, start, end, mode, out),
            close: () => {
              this.compressing--;
              made.close();
            },
          };
        },
        afterPause: (task) => network.schedule.in(5, task),
        onBug: (error) => network.faults.push(error),
      }),
      cache: new ResponseCache(this.memory.cache),
      now: () => schedule.now,
      wallClock: () => schedule.now,
      soon: (task) => network.later(task),
      httpDate: () => formatHttpDate(schedule.now),
      writeRequestId: (out, at) => {
        for (const digit of String(ids++)) out[at++] = digit.charCodeAt(0);
        return at;
      },
      logSpan: (record, { ids, continued }) => {
        const { transport, route, server, error, bytesIn, bytesOut } = record;
        this.spans.push({
          ...{ transport, route, server, error, bytesIn, bytesOut },
          ids: textOf({ bytes: ids, start: 0, end: ids.length }),
          continued,
        });
      },
      logAccess: (record) => {
        const kept = Object.fromEntries(LOGGED.map((key) => [key, record[key]])) as Pick<
          AccessRecord,
          (typeof LOGGED)[number]
        >;
        const [host, target] = [textOf(record.host), textOf(record.target)];
        this.log.push({ ...kept, error: record.error as ErrorCode | "", host, target });
      },
    };
    this.#snapshot = snapshotOf(options, servers);
    this.#live = this.#build(null);
    this.state = { live: this.#live.listeners.get("web")!, draining: false };
  }

  get now(): number {
    return this.network.schedule.now;
  }

  /** What is known of the limits of the listener's snapshot. */
  get limits(): LimitStatus[] {
    return this.tables.limits.status(this.#snapshot, this.now);
  }

  /** A client connects; nothing is sent yet. */
  connectPeer(host = "192.0.2.7"): Peer {
    const stream = new SimStream(this.network, host, 1000 + this.#clients++);
    const { row } = this.state.live.snapshot;
    this.memory.counters.addListener(row, LISTENER_COLUMN.active, 1);
    const session = openSession(this, this.state, stream);
    this.sessions.add(session);
    session.start();
    return stream.peer;
  }

  connect(host?: string): SimClient {
    return new SimClient(this.connectPeer(host));
  }

  /** Puts another snapshot in force, as a reload does. */
  reload(change: (snapshot: Snapshot) => Snapshot): void {
    this.#snapshot = change(this.#snapshot);
    this.#live = this.#build(this.#live);
    this.state.live = this.#live.listeners.get("web")!;
  }

  /** The node stops: sessions end when they have nothing under way. */
  drain(): void {
    this.state.draining = true;
    for (const session of [...this.sessions]) session.drain();
  }

  /** Runs until nothing is left to happen but deadlines. */
  settle(): void {
    while (this.network.schedule.next !== Infinity) this.#advance(this.network.schedule.next);
  }

  /** Lets `ms` of time pass. */
  run(ms: number): void {
    const until = this.now + ms;
    for (;;) {
      const next = Math.min(this.network.schedule.next, this.#wheel.next);
      if (next > until) break;
      this.#advance(next);
    }
    this.network.schedule.now = until;
  }

  /** Requests and connections that count as under way on the servers. */
  get active(): number {
    let active = 0;
    for (let slot = 0; slot < this.servers.length; slot++) active += this.memory.slots.active(slot);
    return active;
  }

  /** Everything is over: what must be free is free. */
  checkQuiet(): void {
    assertEquals(this.active, 0, "places on servers are given back");
    for (let row = 0; row < POOLS; row++) {
      assertEquals(this.memory.queue.waiting(row), 0, "nobody waits in a queue");
    }
  }

  /** Ends what is left, as the end of a process does, and checks that nothing stays behind. */
  finish(): void {
    for (const session of [...this.sessions]) session.close();
    for (const connection of this.idle.clear()) connection.close();
    for (const connection of [...this.environment.upstreams]) connection.close();
    this.settle();
    const [fault] = this.network.faults;
    if (fault !== undefined) throw fault;
    this.checkQuiet();
    assertEquals(this.sessions.size, 0, "sessions end");
    assertEquals(this.memory.counters.listener(0, LISTENER_COLUMN.active), 0, "connections are counted out");
    assertEquals(this.network.streams.filter((stream) => !stream.told).length, 0, "streams are closed");
    assertEquals(this.network.buffers.outstanding, 0, "buffers are given back");
    assertEquals(this.#wheel.armed, 0, "deadlines are cleared");
    assertEquals(this.disk.opened, 0, "files are closed");
    assertEquals(this.compressing, 0, "compressors are closed");
    assertEquals(this.idle.size, 0, "no idle connection is left");
    const { store, fetches, refreshing } = this.environment.cache;
    store.purge({});
    assertEquals([store.bytes, fetches.size, refreshing], [0, 0, 0], "the cache waits for nothing");
  }

  /** For handshakes. */
  onBug(error: unknown): void {
    throw error;
  }

  /** For handshakes. */
  onRefused(_listener: string, _client: string, reason: string): void {
    this.refusals.push(reason);
  }

  /** For the sessions. */
  onReplaced(stage: Session, next: Session): void {
    if (!this.sessions.delete(stage)) throw new Error("A stage ended twice");
    this.sessions.add(next);
  }

  /** For the sessions. */
  onHttp2(connection: ClientConnection, opening: Uint8Array): void {
    openHttp2(this, connection, opening);
  }

  /** For the sessions. */
  onGone(session: Session): void {
    if (!this.sessions.delete(session)) throw new Error("A session ended twice");
    this.memory.counters.addListener(0, LISTENER_COLUMN.active, -1);
  }

  #build(before: Live | null): Live {
    const { environment } = this;
    this.tables.keep(this.tables.prepare(this.#snapshot, this.now));
    return buildLive(this.#snapshot, before, {
      ...this.tables.current,
      ...(this.#options.credentials ?? {}),
      http2Dialer: (below, scheme, connectMs) =>
        new Http2Dialer(environment, below ?? environment.dialer, scheme, connectMs),
      memory: this.memory,
      worker: 0,
      random: this.network.random,
      writeHex: (out, at, digits) => {
        const text = (++this.#hexes).toString(16).padStart(digits, "0");
        for (let i = 0; i < digits; i++) out[at++] = text.charCodeAt(i);
        return at;
      },
      buildTable: buildRouteTable,
      makeTls: this.#makeTls,
    });
  }

  #advance(at: number): void {
    const { schedule } = this.network;
    const tick = this.#wheel.next;
    if (tick <= at) {
      schedule.now = Math.max(schedule.now, tick);
      this.#wheel.advance(tick);
    } else schedule.step();
    this.memory.queue.drain();
  }
}

function textOf(text: LogText): string {
  return typeof text === "string" ? text : latin1(text.bytes, text.start, text.end);
}

/** Knows which deadlines are set, and when it wants to be turned next. */
class CountedWheel extends Wheel {
  readonly #timers = new Set<Timer>();
  next: number;

  constructor(now: number) {
    super(now);
    this.next = (Math.floor(now / TICK_MS) + 1) * TICK_MS;
  }

  get armed(): number {
    return [...this.#timers].filter((timer) => timer.at !== Infinity).length;
  }

  override set(timer: Timer, at: number): void {
    this.#timers.add(timer);
    super.set(timer, at);
  }

  override advance(now: number): void {
    this.next = now + TICK_MS;
    super.advance(now);
  }
}

function serverSnapshot(special: Partial<ServerSnapshot>, index: number): ServerSnapshot {
  return {
    name: NAMES[index]!,
    host: "10.0.0.1",
    port: 8000 + index,
    weight: 1,
    maxConnections: 0,
    backup: false,
    slowStartMs: 0,
    slot: index,
    ...special,
  };
}

function snapshotOf(options: WorldOptions, servers: readonly ServerSnapshot[]): Snapshot {
  const pool = merge(POOL, options.pool ?? {});
  const routes = options.routes ?? [{ match: ANY, action: { kind: "pool", pool: "app" } }];
  const protocol = options.protocol ?? "http";
  return {
    generation: 1,
    node: "test",
    listeners: [{ ...merge(LISTENER, options.listener ?? {}), protocol, routes }],
    pools: poolsOf(pool, servers, options.otherPools ?? {}),
    log: { level: "info", format: "json", access: "json" },
  };
}

function poolsOf(
  app: Omit<PoolSnapshot, "servers">,
  servers: readonly ServerSnapshot[],
  others: Readonly<Record<string, readonly number[]>>,
): PoolSnapshot[] {
  const elsewhere = new Set(Object.values(others).flat());
  return [
    { ...app, servers: servers.filter((_, index) => !elsewhere.has(index)) },
    ...Object.entries(others).map(([name, indices], at) => ({
      ...app,
      name,
      row: at + 1,
      servers: servers.filter((_, index) => indices.includes(index)),
    })),
  ];
}

/** `base` with `change`, one level deep. */
function merge<T extends object>(base: T, change: Partly<T>): T {
  const merged = { ...base } as Record<string, unknown>;
  for (const [key, value] of Object.entries(change)) {
    const before = merged[key];
    const nested = typeof value === "object" && value !== null && !Array.isArray(value);
    merged[key] = nested ? { ...before as object, ...value } : value;
  }
  return merged as T;
}

/** Runs one simulation to its end and checks that it left nothing behind. */
export function simulate(options: WorldOptions, run: (world: World) => void): void {
  const world = new World(options);
  try {
    run(world);
    world.finish();
  } catch (error) {
    const reason = error as Error;
    reason.message = `seed ${options.seed ?? 1}, split ${world.network.split}: ${reason.message}`;
    throw reason;
  }
}

/** Every way in which bytes may arrive, with several seeds for those that depend on chance. */
export function everyWay(run: (way: NetworkOptions) => void, seeds = 20): void {
  run({ split: "whole" });
  run({ split: "bytes" });
  for (let seed = 1; seed <= seeds; seed++) run({ split: "random", delayMs: seed % 3 * 7, seed });
}
