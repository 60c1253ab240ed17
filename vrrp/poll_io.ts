/**
 * Waits for any number of sockets of libc with one `poll` on one thread of the pool: 0.07 % of a core while idle.
 *
 * One for the whole process: 32 such calls at once would hang all its file operations. An event descriptor wakes it
 * when the set changes, so that a new socket is heard at once and `close` does not wait. A call lasts a second at most,
 * for the thread of a process that exits lives as long as its call.
 */
import { lastError, type Libc } from "../mod/base/libc_io.ts";

const POLLIN = 0x1;
const POLLFD_BYTES = 8;
const MAX_WAIT_MS = 1000;
const EFD_CLOEXEC_NONBLOCK = 0o2000000 | 0o4000;
const ONE = new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0]);
/** `poll` fails only when memory is short or a descriptor was closed under it; not to spin then. */
const PAUSE_AFTER_ERROR_MS = 100;

export class Poller {
  readonly #libc: Libc;
  readonly #wake: number;
  readonly #readers = new Map<number, () => void>();
  readonly #onError: (error: Error) => void;
  #closed = false;
  #loop: Promise<void> | null = null;

  /** Starts nothing before the first `add`. `onError` hears what a reader threw. */
  constructor(libc: Libc, onError: (error: Error) => void) {
    this.#libc = libc;
    this.#onError = onError;
    this.#wake = libc.eventfd(0, EFD_CLOEXEC_NONBLOCK);
    if (this.#wake < 0) throw new Error(`Cannot open an event descriptor: ${lastError(libc)}`);
  }

  /** Calls `onReadable` whenever `fd` has something to read; it must read all of it. */
  add(fd: number, onReadable: () => void): void {
    this.#readers.set(fd, onReadable);
    this.#loop ??= this.#run();
    this.#wakeUp();
  }

  /** No call comes after this one, so the descriptor may be closed. */
  remove(fd: number): void {
    this.#readers.delete(fd);
    this.#wakeUp();
  }

  /** Ends the waiting. The descriptors stay open. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#wakeUp();
    await this.#loop;
    this.#libc.close(this.#wake);
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      const fds = [this.#wake, ...this.#readers.keys()];
      // Referenced until the call has returned: the kernel writes into it meanwhile.
      const set = new DataView(new ArrayBuffer(fds.length * POLLFD_BYTES));
      for (const [at, fd] of fds.entries()) {
        set.setInt32(at * POLLFD_BYTES, fd, true);
        set.setInt16(at * POLLFD_BYTES + 4, POLLIN, true);
      }
      const ready = await this.#libc.poll(new Uint8Array(set.buffer), BigInt(fds.length), MAX_WAIT_MS);
      if (ready < 0) await new Promise((resolve) => setTimeout(resolve, PAUSE_AFTER_ERROR_MS));
      for (const [at, fd] of fds.entries()) {
        if (ready > 0 && set.getInt16(at * POLLFD_BYTES + 6, true) !== 0) this.#read(fd);
      }
    }
  }

  #read(fd: number): void {
    if (fd === this.#wake) {
      this.#libc.read(fd, new Uint8Array(8), 8n);
      return;
    }
    try {
      this.#readers.get(fd)?.();
    } catch (error) {
      this.#onError(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #wakeUp(): void {
    this.#libc.write(this.#wake, ONE, 8n);
  }
}
