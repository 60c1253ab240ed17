/** The far end of a stream under test on real sockets, and what such tests need besides. */
import { BufferPool } from "../../mod/net/buffers.ts";
import type { StreamWorld } from "../../mod/net/deno_io.ts";

/** A condition that does not come true in that time never will. */
const PATIENCE_MS = 10_000;

export async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error("Nothing happens any more");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

export function world(): StreamWorld & { bugs: unknown[] } {
  const bugs: unknown[] = [];
  return { buffers: new BufferPool(), tick() {}, onBug: (error) => bugs.push(error), bugs };
}

/** The far end of a connection, read by a loop of its own. */
export class ConnPeer {
  gotEnd = false;
  #pieces: Uint8Array[] = [];
  #on = true;
  #wake: () => void = () => {};
  readonly done: Promise<void>;

  constructor(readonly conn: Deno.TcpConn | Deno.TlsConn) {
    this.done = this.#read();
  }

  async send(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.conn.write(bytes.subarray(at));
  }

  end(): Promise<void> {
    return this.conn.closeWrite();
  }

  /** Closing with unread bytes makes the kernel send a reset. */
  reset(): void {
    this.#close();
  }

  reading(on: boolean): void {
    this.#on = on;
    if (on) this.#wake();
  }

  get received(): Uint8Array {
    const all = new Uint8Array(this.#pieces.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const piece of this.#pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    return all;
  }

  async close(): Promise<void> {
    this.reading(true);
    this.#close();
    await this.done;
  }

  #close(): void {
    try {
      this.conn.close();
    } catch {
      // Closed already.
    }
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    for (;;) {
      if (!this.#on) await new Promise<void>((resolve) => this.#wake = resolve);
      const size = await this.conn.read(buffer).catch(() => null);
      if (size === null) break;
      this.#pieces.push(buffer.slice(0, size));
    }
    this.gotEnd = true;
  }
}

export async function connPair(): Promise<[near: Deno.TcpConn, far: Deno.TcpConn]> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [near, far] = await Promise.all([
    listener.accept(),
    Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port }),
  ]);
  return [near, far];
}

export function openFiles(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}
