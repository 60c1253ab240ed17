/**
 * A turn of the runtime's loop in which it looks for its own sockets.
 *
 * A loop that always has something to do (a `setImmediate`, an answer of the pool's) asks the kernel about them only at
 * every 61st turn; with a millisecond between turns that made a round trip over TLS cost 60 ms (measured). One
 * that has nothing to do but wait for a socket asks at once: so a byte goes through one of its own.
 */
import { setImmediate } from "node:timers";

const BYTE = new Uint8Array(1);

export class RuntimeTurn {
  readonly #opening: Promise<void>;
  readonly #into = new Uint8Array(8);
  /** One for all who want one. */
  #taking: Promise<void> | null = null;
  #near: Deno.TcpConn | null = null;
  #far: Deno.TcpConn | null = null;

  constructor() {
    this.#opening = this.#open();
  }

  /** Resolves after a turn; a plain one as long as there are no sockets for it. */
  take(): Promise<void> {
    return this.#taking ??= this.#take();
  }

  async #take(): Promise<void> {
    try {
      if (this.#near !== null && this.#far !== null) {
        await this.#near.write(BYTE);
        await this.#far.read(this.#into);
      } else await new Promise<void>((resolve) => setImmediate(resolve));
    } catch {
      // Closed by now.
    }
    this.#taking = null;
  }

  async close(): Promise<void> {
    await this.#opening;
    this.#near?.close();
    this.#far?.close();
  }

  async #open(): Promise<void> {
    try {
      using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const accepting = listener.accept();
      const near = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
      const far = await accepting;
      near.setNoDelay(true);
      // Somebody else may have been faster, and has its end now.
      if ((far.remoteAddr as Deno.NetAddr).port === (near.localAddr as Deno.NetAddr).port) {
        this.#near = near;
        this.#far = far;
        return;
      }
      near.close();
      far.close();
    } catch {
      // Then turns are plain ones.
    }
  }
}
