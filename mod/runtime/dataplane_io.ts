/**
 * The data plane of one worker: listening sockets, sessions, and the swap from one snapshot to the next.
 *
 * A reload binds what is new before it closes what is gone; sessions under way keep what they began with. It must
 * not know of other workers except through shared memory.
 */
import type { BreakerState } from "../base/breaker.ts";
import { LISTENER_COLUMN } from "../base/counters.ts";
import { type OpenMemory, openSharedMemory, type SharedMemory } from "../base/shared_memory.ts";
import { TurnClock } from "../base/turn_clock.ts";
import type { AccessFormat, ListenerSnapshot, RouteSnapshot, Snapshot } from "../config/snapshot.ts";
import { ResponseCache } from "../cache/response_cache.ts";
import type { Purge } from "../cache/store.ts";
import { Compressors } from "../compress/compressor.ts";
import { makeCompressor, tryEncodings } from "../compress/zlib_io.ts";
import { Disk } from "../files/disk_io.ts";
import { FileStore } from "../files/store.ts";
import { BufferPool } from "../net/buffers.ts";
import type { StreamWorld } from "../net/deno_io.ts";
import { type Engine, type Listener, makeEngine } from "../net/engine_io.ts";
import { IdleConnections } from "../net/idle.ts";
import type { Stream } from "../net/stream.ts";
import type { TlsEngine } from "../net/tls.ts";
import { TlsDialer } from "../net/tls_dialer.ts";
import { TICK_MS, Wheel } from "../net/wheel.ts";
import { Batch } from "../observe/batch.ts";
import { AccessLog } from "../proxy/access_log.ts";
import { ChunkEncoder } from "../proxy/chunks.ts";
import type { ListenerState, ProxyEnvironment, TlsTrouble } from "../proxy/environment.ts";
import { PasswordThread } from "../guard/passwords_io.ts";
import { JoseTokens } from "../guard/tokens_io.ts";
import { HeadFacts } from "../proxy/facts.ts";
import { Http2Dialer } from "../proxy/http2_dialer.ts";
import { buildLive, type Live } from "../proxy/live.ts";
import { AccessRecorder } from "../proxy/record.ts";
import type { ServerConnection } from "../proxy/server_connection.ts";
import { SpanLog } from "../proxy/span_log.ts";
import type { ClientConnection } from "../proxy/client_connection.ts";
import { openHttp2, openSession } from "../proxy/session.ts";
import type { Session } from "../proxy/stage.ts";
import type { RouteTable } from "../route/match.ts";
import { acceptProblem } from "./accept_problem.ts";
import { NO_TABLES, type Tables } from "./tables.ts";
import { RandomHex } from "./random_hex_io.ts";
import { RequestIds } from "./request_ids_io.ts";
import { UdpPlane } from "./udp_plane_io.ts";

/** A server that sends nothing for so long has paused: what it sent before is flushed. */
const PAUSE_MS = 5;

export interface DataplaneOptions {
  readonly worker: number;
  readonly memory: SharedMemory;
  readonly buildTable: (routes: readonly RouteSnapshot[]) => RouteTable;
  readonly makeTls: (buffers: BufferPool) => TlsEngine;
  /** Takes a batch of the access log's lines; answer each with `logWritten()`. */
  readonly log: (batch: Uint8Array<ArrayBuffer>, dropped: number) => void;
  /** Takes a batch of spans, as `log`; answer each with `spansTaken()`. */
  readonly spans?: (batch: Uint8Array<ArrayBuffer>, dropped: number) => void;
  /** Something went wrong that a person should know of. */
  readonly onError: (error: unknown) => void;
  /** Of sockets, by name, for comparison; the fastest that works here by default. */
  readonly engine?: string;
  /** A server was reached and no TLS came of it. */
  readonly onTlsFailure?: (trouble: TlsTrouble) => void;
  /** The breaker of a pool has changed by what this worker's requests came to. */
  readonly onBreaker?: (pool: string, state: BreakerState) => void;
  /** A TLS handshake failed: nobody's mistake in here. */
  readonly onRefused: (listener: string, client: string, reason: string) => void;
}

interface Socket {
  readonly key: string;
  readonly listener: Listener;
  /** May change at a reload, when another listener of the configuration takes over the address. */
  state: ListenerState;
}

/** The sockets of UDP are in a plane of their own. */
const accepts = ({ protocol }: ListenerSnapshot) => protocol !== "udp";

export class Dataplane {
  readonly environment: ProxyEnvironment;
  readonly encoder: ChunkEncoder;
  readonly recorder = new AccessRecorder();
  readonly #options: DataplaneOptions;
  readonly #memory: OpenMemory;
  readonly #world: StreamWorld;
  readonly #engine: Engine;
  readonly #tls: TlsEngine;
  readonly #udp: UdpPlane;
  readonly #wheel: Wheel;
  readonly #idle = new IdleConnections<ServerConnection>();
  readonly #batch = new Batch();
  readonly #spanBatch = new Batch();
  readonly #spans = new SpanLog(this.#spanBatch);
  readonly #randomHex = new RandomHex();
  readonly #passwords: PasswordThread;
  readonly #tokens = new JoseTokens();
  readonly #states = new Map<string, ListenerState>();
  readonly #sessions = new Set<Session>();
  readonly #tick: ReturnType<typeof setInterval>;
  #sockets = new Map<string, Socket>();
  #live: Live | null = null;
  #accessFormat: AccessFormat = "off";
  #access: AccessLog | null = null;
  #emptied: (() => void) | null = null;

  constructor(options: DataplaneOptions) {
    this.#options = options;
    this.#passwords = new PasswordThread(options.onError);
    this.#wheel = new Wheel(performance.now(), options.onError);
    this.#memory = openSharedMemory(options.memory, options.worker);
    const buffers = new BufferPool();
    const clock = new TurnClock(Date.now, () => performance.now());
    const tick = () => clock.tick();
    this.#world = { buffers, tick, onBug: options.onError };
    this.#engine = makeEngine(this.#world, options.worker, options.engine);
    this.#tls = options.makeTls(buffers);
    this.encoder = new ChunkEncoder(buffers);
    const ids = new RequestIds();
    let second = -1;
    let date = "";
    this.environment = {
      buffers,
      wheel: this.#wheel,
      dialer: this.#engine.dialer,
      idle: this.#idle,
      upstreams: new Set(),
      counters: this.#memory.counters,
      facts: new HeadFacts(),
      files: new FileStore(new Disk()),
      compressors: new Compressors({
        encodings: tryEncodings(),
        make: makeCompressor,
        afterPause: (task) => void setTimeout(task, PAUSE_MS),
        onBug: options.onError,
      }),
      cache: new ResponseCache(this.#memory.cache),
      now: () => clock.now,
      wallClock: () => clock.wall,
      soon: (task) => void Promise.resolve().then(task).catch(options.onError),
      httpDate: () => {
        const present = Math.floor(clock.wall / 1000);
        if (present !== second) date = new Date((second = present) * 1000).toUTCString();
        return date;
      },
      writeRequestId: (out, at) => ids.write(out, at),
      onTlsFailure: (trouble) => options.onTlsFailure?.(trouble),
      logAccess: (record) => {
        this.#access?.append(record);
        if (this.#batch.ready) this.#flushLog();
      },
      logSpan: (record, trace) => {
        this.#spans.append(record, trace);
        if (this.#spanBatch.ready) this.#flushSpans();
      },
    };
    this.#udp = new UdpPlane({
      environment: this.environment,
      recorder: this.recorder,
      datagrams: this.#engine.datagrams,
      memory: this.#memory,
      worker: options.worker,
      workers: options.memory.size.workers,
      onBegun: (session) => this.#admit(session),
      onGone: (session) => this.onGone(session),
      onProblem: ({ live: { snapshot: { name } } }, error) =>
        options.onError(new Error(`listener ${name}: ${error.message}`)),
    });
    this.#memory.queue.listen();
    this.#tick = setInterval(() => {
      tick();
      this.#wheel.advance(clock.now);
      this.#memory.cache.tell(this.environment.cache.store);
      this.#flushLog();
      this.#flushSpans();
    }, TICK_MS);
  }

  /** Client connections open now. */
  get connections(): number {
    return this.#sessions.size;
  }

  /** Port that a bind got, for tests that bind port 0. */
  port(listener: string): number {
    const state = this.#states.get(listener);
    for (const socket of this.#sockets.values()) if (socket.state === state) return socket.listener.port;
    return state === undefined ? 0 : this.#udp.port(state);
  }

  /** Puts a snapshot in force; with errors (an address that cannot be bound) everything is as before. */
  apply(snapshot: Snapshot, tables: Tables = NO_TABLES): Promise<{ errors: string[] }> {
    const fresh: Socket[] = [];
    try {
      const live = buildLive(snapshot, this.#live, {
        memory: this.#memory,
        worker: this.#options.worker,
        ...tables,
        passwords: this.#passwords,
        tokens: this.#tokens,
        random: Math.random,
        writeHex: (out, at, digits) => this.#randomHex.write(out, at, digits),
        onBreaker: (pool, state) => this.#options.onBreaker?.(pool, state),
        http2Dialer: (below, scheme, connectMs) =>
          new Http2Dialer(this.environment, below ?? this.#engine.dialer, scheme, connectMs),
        tlsDialer: (tls) =>
          new TlsDialer(this.#engine.dialer, this.#tls.connector(tls), this.#options.onError),
        buildTable: this.#options.buildTable,
        makeTls: this.#tls.acceptor,
      });
      const udp = this.#udp.prepare(snapshot);
      const errors = [...this.#bind(snapshot, fresh), ...udp.errors];
      if (errors.length === 0) {
        this.#swap(live, fresh);
        udp.commit(this.#states);
      } else {
        for (const { listener } of fresh) listener.close();
        udp.cancel();
      }
      return Promise.resolve({ errors });
    } catch (error) {
      for (const { listener } of fresh) listener.close();
      return Promise.resolve({ errors: [(error as Error).message] });
    }
  }

  /** Stops accepting; resolves when no session is left or `deadlineMs` has passed, and the rest is closed. */
  async drain(deadlineMs: number): Promise<void> {
    for (const { listener } of this.#sockets.values()) listener.finish();
    this.#sockets.clear();
    this.#udp.close();
    for (const state of this.#states.values()) state.draining = true;
    for (const session of [...this.#sessions]) session.drain();
    if (this.#sessions.size > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#emptied = resolve;
      const timer = setTimeout(resolve, deadlineMs);
      await promise;
      clearTimeout(timer);
    }
    await this.close();
  }

  /** Closes everything at once; resolves when nothing of it is at work any more. */
  close(): Promise<void> {
    for (const { listener } of this.#sockets.values()) listener.close();
    this.#sockets.clear();
    this.#udp.close();
    for (const session of [...this.#sessions]) session.close();
    for (const connection of this.#idle.clear()) connection.close();
    for (const connection of [...this.environment.upstreams]) connection.close();
    this.#memory.queue.stop();
    clearInterval(this.#tick);
    this.#passwords.close();
    this.#flushLog();
    this.#flushSpans();
    return this.#engine.stop();
  }

  /** Forgets stored answers; answers how many. */
  purge(purge: Purge): number {
    return this.environment.cache.store.purge(purge);
  }

  /** A batch given to `log` has been written. */
  logWritten(): void {
    this.#batch.written();
  }

  /** A batch given to `spans` has been taken. */
  spansTaken(): void {
    this.#spanBatch.written();
  }

  /** A session has ended. */
  onGone(session: Session): void {
    if (!this.#sessions.delete(session)) return;
    const { row } = session.listener.live.snapshot;
    this.#memory.counters.addListener(row, LISTENER_COLUMN.active, -1);
    if (this.#sessions.size === 0) this.#emptied?.();
  }

  /** `next` goes on with the connection of a stage. */
  onReplaced(stage: Session, next: Session): void {
    this.#sessions.delete(stage);
    this.#sessions.add(next);
  }

  /** A client speaks HTTP/2 without TLS. */
  onHttp2(connection: ClientConnection, opening: Uint8Array): void {
    openHttp2(this, connection, opening);
  }

  /** A session of a TLS listener threw. */
  onBug(error: unknown): void {
    this.#options.onError(error);
  }

  /** A TLS handshake failed. */
  onRefused(listener: string, client: string, reason: string): void {
    this.#options.onRefused(listener, client, reason);
  }

  /** Binds the addresses that are not bound yet. */
  #bind(snapshot: Snapshot, fresh: Socket[]): string[] {
    const errors: string[] = [];
    for (const { name, binds } of snapshot.listeners.filter(accepts)) {
      for (const { host, port } of binds) {
        const key = `${host} ${port}`;
        if (this.#sockets.has(key)) continue;
        try {
          const state = this.#states.get(name) ?? null;
          fresh.push({ key, listener: this.#engine.listen(host, port), state: state! });
        } catch (error) {
          errors.push(`listener ${name}: cannot listen on ${host} port ${port}: ${(error as Error).message}`);
        }
      }
    }
    return errors;
  }

  #swap(live: Live, fresh: readonly Socket[]): void {
    this.#live = live;
    const { snapshot } = live;
    this.#openLog(snapshot.log.access);
    this.#sizeCache(snapshot);
    this.#swapStates(live);
    const before = this.#sockets;
    this.#sockets = new Map();
    for (const { name, binds } of snapshot.listeners.filter(accepts)) {
      const state = this.#states.get(name)!;
      for (const { host, port } of binds) {
        const key = `${host} ${port}`;
        const socket = before.get(key) ?? fresh.find((each) => each.key === key)!;
        socket.state = state;
        this.#sockets.set(key, socket);
      }
    }
    for (const socket of fresh) this.#accept(socket);
    for (const [key, socket] of before) if (!this.#sockets.has(key)) socket.listener.close();
    this.#closeStrangers(snapshot);
  }

  #swapStates(live: Live): void {
    for (const [name, listener] of live.listeners) {
      const state = this.#states.get(name);
      if (state !== undefined && state.live.snapshot.protocol === listener.snapshot.protocol) {
        state.live = listener;
      } else {
        if (state !== undefined) this.#retire(state);
        this.#states.set(name, { live: listener, draining: false });
      }
    }
    for (const [name, state] of this.#states) {
      if (live.listeners.has(name)) continue;
      this.#retire(state);
      this.#states.delete(name);
    }
  }

  /** A listener is gone: its idle connections end now, the others after the request under way. */
  #retire(state: ListenerState): void {
    state.draining = true;
    for (const session of [...this.#sessions]) {
      if (session.listener === state) session.drain();
    }
  }

  /** Idle connections to servers that are no longer configured. */
  #closeStrangers({ pools }: Snapshot): void {
    const slots = new Set(pools.flatMap((pool) => pool.servers.map((server) => server.slot)));
    for (const slot of this.#idle.slots()) {
      if (!slots.has(slot)) { for (const connection of this.#idle.clear(slot)) connection.close(); }
    }
  }

  #accept(socket: Socket): void {
    socket.listener.accept({
      mayAccept: () => {
        const { row, limits } = socket.state.live.snapshot;
        return limits.connections === 0 ||
          this.#memory.counters.listener(row, LISTENER_COLUMN.active) < limits.connections;
      },
      onAccept: (stream) => this.#begin(socket.state, stream),
      onAcceptError: (error) => this.#options.onError(acceptProblem(socket.state.live.snapshot.name, error)),
    });
  }

  #begin(state: ListenerState, stream: Stream): void {
    this.#admit(openSession(this, state, stream));
  }

  #admit(session: Session): void {
    const { row } = session.listener.live.snapshot;
    const { counters } = this.#memory;
    counters.addListener(row, LISTENER_COLUMN.accepted, 1);
    counters.addListener(row, LISTENER_COLUMN.active, 1);
    this.#sessions.add(session);
    session.start();
  }

  /** Each worker has its share of what all may take. What is stored stays, as far as there is room. */
  #sizeCache({ cache }: Snapshot): void {
    const share = Math.floor((cache?.maxBytes ?? 0) / this.#options.memory.size.workers);
    this.environment.cache.store.resize(share, Math.min(share, cache?.maxObjectBytes ?? 0));
  }

  #openLog(format: AccessFormat): void {
    if (format === this.#accessFormat) return;
    this.#accessFormat = format;
    this.#access = format === "off" ? null : new AccessLog(format, this.#batch);
  }

  #flushSpans(): void {
    const batch = this.#spanBatch.take();
    if (batch !== null) this.#options.spans?.(batch, this.#spanBatch.dropped);
  }

  #flushLog(): void {
    const batch = this.#batch.take();
    if (batch !== null) this.#options.log(batch, this.#batch.dropped);
  }
}
