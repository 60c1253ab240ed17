/**
 * UDP through the balancer: the datagrams of one client make a session, which has one server and a socket of its own
 * to it, so that what comes back is known to be the client's.
 *
 * A session ends when nothing passes for a while, or with as many answers as it has to have. A machine: it is called by
 * sockets and the wheel. It must not know what the datagrams mean.
 */
import { SERVER_COLUMN } from "../base/counters.ts";
import type { ErrorCode } from "../base/errors.ts";
import { hashText } from "../base/hash.ts";
import { allowsAll } from "../guard/access.ts";
import type { DatagramHandler, DatagramNet, DatagramSocket, Peer } from "../net/datagrams.ts";
import { Timer } from "../net/wheel.ts";
import { logConnection } from "./connection_log.ts";
import type { ListenerState, LivePool, ProxyEnvironment } from "./environment.ts";
import { type AccessRecorder, Record } from "./record.ts";
import type { Session } from "./stage.ts";

export interface RelayOwner {
  readonly environment: ProxyEnvironment;
  readonly recorder: AccessRecorder;
  readonly datagrams: DatagramNet;
  /** False: the listener has as many sessions as it may have. */
  mayBegin(listener: ListenerState): boolean;
  onBegun(session: Session): void;
  onGone(session: Session): void;
  /** Something is wrong with the socket of a listener, for people. */
  onProblem(listener: ListenerState, error: Error): void;
}

/** What one socket of a listener takes, and from whom. */
export class UdpRelay implements DatagramHandler {
  /** May change at a reload. */
  state: ListenerState;
  readonly #sessions = new Map<string, UdpSession>();

  constructor(readonly owner: RelayOwner, state: ListenerState, readonly socket: DatagramSocket) {
    this.state = state;
    socket.receive(this);
  }

  onDatagram(bytes: Uint8Array, from: Peer): void {
    let session = this.#sessions.get(from.key) ?? null;
    if (session?.isStranded === true) {
      session.close();
      session = null;
    }
    session ??= this.#begin(from);
    session?.toServer(bytes);
  }

  onProblem(error: Error): void {
    this.owner.onProblem(this.state, error);
  }

  forget(session: UdpSession): void {
    this.#sessions.delete(session.client.key);
  }

  /** Closes the socket and ends all sessions: nothing could be answered any more. */
  close(): void {
    this.socket.close();
    for (const session of [...this.#sessions.values()]) session.close();
  }

  #begin(client: Peer): UdpSession | null {
    if (!this.owner.mayBegin(this.state)) return this.#refuse("tooManySessions");
    const session = new UdpSession(this, this.state, client);
    const problem = session.open();
    if (problem !== null) return this.#refuse(problem);
    this.#sessions.set(client.key, session);
    this.owner.onBegun(session);
    return session;
  }

  #refuse(code: ErrorCode): null {
    const { environment } = this.owner;
    const record = new Record();
    const now = environment.now();
    record.start(now, 0);
    record.error = code;
    record.account(environment, this.state.live.snapshot.row, now);
    return null;
  }
}

export class UdpSession implements Session, DatagramHandler {
  readonly #environment: ProxyEnvironment;
  readonly #record = new Record();
  readonly #timer = new Timer(this);
  readonly #idleMs: number;
  /** To each datagram. */
  readonly #answers: number;
  readonly #hash: number;
  readonly #pool: LivePool;
  /** Slots of servers that refused. */
  readonly #tried: number[] = [];
  #slot = -1;
  #index = -1;
  /** The last datagram, as long as no answer has come: it may have to go to another server. */
  #unanswered: Uint8Array | null = null;
  #socket: DatagramSocket | null = null;
  /** Answers that are still to come before it is over; Infinity: any number. */
  #awaited = 0;
  #closed = false;

  constructor(readonly relay: UdpRelay, readonly listener: ListenerState, readonly client: Peer) {
    this.#environment = relay.owner.environment;
    const { idleMs, answers } = listener.live.snapshot.udp!;
    this.#idleMs = idleMs;
    this.#answers = answers === 0 ? Infinity : answers;
    this.#hash = hashText(client.host);
    this.#pool = listener.live.routes[0]!.pool!;
    this.#record.start(this.#environment.now(), 0);
    this.#record.taken(listener.live.routes[0]!.snapshot);
    this.#record.poolRow = this.#pool.snapshot.row;
  }

  /** Takes a place on a server and a socket to it; why there is none, or null. */
  open(): ErrorCode | null {
    if (!allowsAll(this.listener.live.access, this.client.host)) return "accessDenied";
    const now = this.#environment.now();
    const { balancer, snapshot } = this.#pool;
    const index = balancer.acquire(this.#hash, this.#tried, now, null);
    if (index < 0) return "noServer";
    const { slot, name, host, port } = snapshot.servers[index]!;
    this.#index = index;
    this.#slot = slot;
    this.#record.acquired(snapshot.name, name, now);
    try {
      this.#socket = this.relay.owner.datagrams.connect(host, port);
    } catch {
      this.#count(SERVER_COLUMN.connectErrors);
      balancer.release(slot, now);
      return "connectFailed";
    }
    this.#record.connectedAt = now;
    this.#count(SERVER_COLUMN.requests);
    return null;
  }

  start(): void {
    this.#socket!.receive(this);
  }

  /** Its server is down, in maintenance, or no more in the pool that the listener has now. */
  get isStranded(): boolean {
    const pool = this.listener.live.routes[0]!.pool!;
    return pool.snapshot.name !== this.#pool.snapshot.name || !pool.balancer.keeps(this.#slot);
  }

  toServer(bytes: Uint8Array): void {
    this.#awaited += this.#answers;
    this.#record.bytesIn += bytes.length;
    if (this.#record.firstByteAt < 0) this.#unanswered = bytes.slice();
    this.#socket!.send(bytes, null);
    this.#arm();
  }

  onDatagram(bytes: Uint8Array): void {
    const record = this.#record;
    if (record.firstByteAt < 0) {
      const now = this.#environment.now();
      record.firstByteAt = now;
      this.#unanswered = null;
      this.#count(SERVER_COLUMN.connections);
      this.#pool.balancer.observe(this.#index, now - record.connectedAt, now);
    }
    record.bytesOut += bytes.length;
    this.relay.socket.send(bytes, this.client);
    if (--this.#awaited <= 0) this.#end(null);
    else this.#arm();
  }

  /** Nobody listens at the server's port: the client goes to another one, with what was not answered. */
  onProblem(): void {
    this.#count(SERVER_COLUMN.connectErrors);
    const { attempts } = this.#pool.snapshot.retry;
    if (this.#unanswered === null || this.#tried.length >= attempts) return this.#end("connectFailed");
    this.#tried.push(this.#slot);
    this.#leave();
    const problem = this.open();
    if (problem !== null) return this.#end("connectFailed");
    this.#record.retries++;
    this.start();
    this.#socket!.send(this.#unanswered, null);
  }

  onDeadline(): void {
    this.#end(null);
  }

  /** It has no point at which it could stop gently: it runs on until its socket is closed. */
  drain(): void {}

  close(): void {
    this.#end(null);
  }

  #arm(): void {
    this.#environment.wheel.set(this.#timer, this.#environment.now() + this.#idleMs);
  }

  #count(column: number): void {
    this.#environment.counters.addServer(this.#slot, column, 1);
  }

  /** Lets go of the server, if there is one. */
  #leave(): void {
    if (this.#socket === null) return;
    this.#socket.close();
    this.#socket = null;
    const now = this.#environment.now();
    this.#record.leaving(this.#environment, this.#slot, now);
    this.#pool.balancer.release(this.#slot, now);
  }

  #end(error: ErrorCode | null): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#environment.wheel.drop(this.#timer);
    const now = this.#environment.now();
    const record = this.#record;
    record.error = error;
    this.#leave();
    const { live } = this.listener;
    record.account(this.#environment, live.snapshot.row, now);
    const client = { remoteHost: this.client.host, remotePort: this.client.port };
    logConnection(this.relay.owner, this.listener, client, record, now, "");
    this.relay.forget(this);
    this.relay.owner.onGone(this);
  }
}
