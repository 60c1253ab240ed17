/**
 * One epoll for all plain connections of a data worker, asked by calls into libc.
 *
 * Why: the runtime's reads and writes are operations with promises, which cost more of a small request than our own
 * code and HAProxy's together. Measured: a request that is only passed on costs two thirds of what it costs with
 * `Deno.Conn`. Everything is edge-triggered: who is told that it may read goes on until there is less than it asked for.
 *
 * While there is traffic this thread waits in the kernel itself, some milliseconds at most, and lets the runtime's own loop
 * (timers, messages, new clients) have a turn at least that often. When nothing comes for a while it waits on a thread
 * of the pool, and costs nothing. It must not know what the connections carry.
 */
import { openSocketLibc, type SocketLibc, type SocketLibrary } from "../base/libc_io.ts";
import { filesAreKernels } from "./file_trial_io.ts";
import { RuntimeTurn } from "./runtime_turn_io.ts";

export const EPOLLIN = 0x1;
export const EPOLLOUT = 0x4;
export const EPOLLERR = 0x8;
export const EPOLLHUP = 0x10;
export const EPOLLRDHUP = 0x2000;
const EPOLLET = 0x80000000;
const EPOLL_CLOEXEC = 0x80000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EFD_NONBLOCK = 0x800;

/** `struct epoll_event` is packed on x86-64 only. */
const PACKED = Deno.build.arch === "x86_64";
const EVENT_WORDS = PACKED ? 3 : 4;
const DATA_WORD = PACKED ? 1 : 2;
/** Events taken at a time. */
const BATCH = 256;
/**
 * How long the runtime waits for its turn while there is traffic. It has only messages and coarse timers in a data
 * worker, and each turn costs what several requests do.
 */
const TURN_MS = 5;
/** How long this thread goes on without an event: the way by the pool costs the next one a tenth of a millisecond. */
const LINGER_MS = 3;
/** How long the thread of the pool waits: what ends it earlier is an event. */
const IDLE_MS = 5000;

/** Whoever has a file descriptor in the epoll. */
export interface Pollable {
  /** The bits of EPOLL… that came; may come once more than there is something to do. */
  onEvents(events: number): void;
  /** Its turn, as asked for by `later`. */
  onTurn(): void;
}

/** Loads libc for this thread; null: it may not, or this is no such system. */
export function socketLibc(): SocketLibrary | null {
  if (Deno.build.os !== "linux") return null;
  try {
    return openSocketLibc();
  } catch {
    return null;
  }
}

export class Poller {
  readonly #epoll: number;
  readonly #wake: number;
  readonly #batch = new EventBuffer();
  /** What the thread of the pool was told. Never freed: it may outlive this one. */
  readonly #apart: Deno.PointerValue;
  readonly #errnoAt: Deno.PointerValue;
  readonly #errno = new Int32Array(1);
  /** Made before: nothing may happen on the way from a call that failed to its number, a collection of garbage say. */
  readonly #errnoBytes = new Uint8Array(this.#errno.buffer);
  readonly #entries: (Pollable | undefined)[] = [];
  /** Of the entry at that place: tells the events of an earlier one from its own. */
  readonly #uses: number[] = [];
  readonly #event = new EventBuffer(1);
  readonly #turn = new RuntimeTurn();
  #turns: Pollable[] = [];
  #busy = false;
  #stopped = false;
  readonly #loop: Promise<void>;

  readonly libc: SocketLibc;
  /** Whether the kernel may be given files by their numbers. */
  readonly sendsFiles: boolean;

  /** `tick` is called before events are told; `onBug` with what an owner throws. Closes `library` in the end. */
  constructor(
    readonly library: SocketLibrary,
    readonly tick: () => void,
    readonly onBug: (error: unknown) => void,
  ) {
    const { libc } = library;
    this.libc = libc;
    this.sendsFiles = filesAreKernels(libc);
    this.#errnoAt = libc.__errno_location();
    this.#apart = libc.malloc(BigInt(this.#batch.bytes.length));
    this.#epoll = libc.epoll_create1(EPOLL_CLOEXEC);
    this.#wake = libc.eventfd(0, EFD_NONBLOCK | EPOLL_CLOEXEC);
    if (this.#epoll < 0 || this.#wake < 0) throw new Error(`Cannot make an epoll: error ${this.errno()}`);
    this.#register(this.#wake, EPOLLIN);
    this.#loop = this.#run();
  }

  /** The number of the error of the call before, which must not have left this thread. */
  errno(): number {
    this.libc.memcpy(this.#errnoBytes, this.#errnoAt, 4n);
    return this.#errno[0]!;
  }

  /** Tells `owner` from now on, edge by edge; false: there is no room in the kernel. */
  add(fd: number, owner: Pollable): boolean {
    this.#uses[fd] = (this.#uses[fd] ?? 0) + 1 | 0;
    this.#entries[fd] = owner;
    return this.#register(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
  }

  /** Another owner for a descriptor that is known already. */
  replace(fd: number, owner: Pollable): void {
    this.#entries[fd] = owner;
  }

  /** Before the descriptor is closed. */
  remove(fd: number): void {
    this.#entries[fd] = undefined;
    this.#uses[fd] = this.#uses[fd]! + 1 | 0;
    // Else it leaves the epoll by being closed, and the number of the epoll may be another file's.
    if (!this.#stopped) this.libc.epoll_ctl(this.#epoll, EPOLL_CTL_DEL, fd, this.#event.bytes);
  }

  /** Gives `owner` a turn soon, not within this call. */
  later(owner: Pollable): void {
    this.#turns.push(owner);
    // Not as a microtask: one who asks in every turn would keep the runtime's loop from its own.
    if (!this.#busy && this.#turns.length === 1) void this.#turn.take().then(this.#takeTurns);
  }

  /** At once nothing is told any more; resolves when the thread of the pool is free. */
  async stop(): Promise<void> {
    if (!this.#stopped) {
      this.#stopped = true;
      this.libc.eventfd_write(this.#wake, 1n);
    }
    await this.#loop;
  }

  #register(fd: number, events: number): boolean {
    this.#event.set(events, fd, this.#uses[fd] ?? 0);
    return !this.#stopped && this.libc.epoll_ctl(this.#epoll, EPOLL_CTL_ADD, fd, this.#event.bytes) === 0;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.#busy = true;
      await this.#whileBusy();
      this.#busy = false;
      if (this.#stopped) break;
      // Asked for between the last look and this one.
      if (this.#turns.length > 0) continue;
      const count = await this.libc.epoll_wait_apart(this.#epoll, this.#apart, BATCH, IDLE_MS);
      this.#busy = true;
      if (this.#stopped || count <= 0) continue;
      this.libc.memcpy(this.#batch.bytes, this.#apart, BigInt(count * EVENT_WORDS * 4));
      this.#tell(count);
      this.#takeTurns();
    }
    // Not earlier: an event of a file that is closed would be lost, and the thread of the pool would not wake. Or it
    // has not begun yet, and would wait on whichever epoll of another worker has got the number by then.
    this.libc.close(this.#epoll);
    this.libc.close(this.#wake);
    await this.#turn.close();
    this.library.close();
  }

  /** Until nothing has come for a while. */
  async #whileBusy(): Promise<void> {
    let now = performance.now();
    let turnAt = now + TURN_MS;
    let idleAt = now + LINGER_MS;
    while (!this.#stopped) {
      const count = this.#wait();
      now = performance.now();
      if (count > 0 || this.#turns.length > 0) idleAt = now + LINGER_MS;
      else if (now >= idleAt) return;
      this.#tell(count);
      this.#takeTurns();
      if (now < turnAt) await null; // what handlers have put off, a close say
      else {
        await this.#turn.take();
        turnAt = performance.now() + TURN_MS;
      }
    }
  }

  /** For itself, as a loop that does not end is not compiled as well as what it calls. */
  #wait(): number {
    const waitMs = this.#turns.length > 0 ? 0 : LINGER_MS;
    return this.libc.epoll_wait(this.#epoll, this.#batch.bytes, BATCH, waitMs);
  }

  #tell(count: number): void {
    const { words } = this.#batch;
    if (count > 0) this.tick();
    for (let at = 0; at < count && !this.#stopped; at++) {
      const word = at * EVENT_WORDS;
      const fd = words[word + DATA_WORD]!;
      const owner = this.#entries[fd];
      if (owner === undefined || words[word + DATA_WORD + 1] !== this.#uses[fd]! >>> 0) continue;
      try {
        owner.onEvents(words[word]!);
      } catch (error) {
        this.onBug(error);
      }
    }
  }

  #takeTurns = (): void => {
    if (this.#turns.length === 0 || this.#stopped) return;
    const turns = this.#turns;
    this.#turns = [];
    this.tick();
    for (const owner of turns) {
      try {
        owner.onTurn();
      } catch (error) {
        this.onBug(error);
      }
    }
  };
}

class EventBuffer {
  readonly words: Uint32Array<ArrayBuffer>;
  readonly bytes: Uint8Array<ArrayBuffer>;

  constructor(events = BATCH) {
    this.words = new Uint32Array(events * EVENT_WORDS);
    this.bytes = new Uint8Array(this.words.buffer);
  }

  set(events: number, fd: number, use: number): void {
    this.words[0] = events;
    this.words[DATA_WORD] = fd;
    this.words[DATA_WORD + 1] = use;
  }
}
