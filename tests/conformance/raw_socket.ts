/**
 * A raw TCP connection that collects what it receives as Latin-1 text. Every wait has a deadline, so nothing hangs.
 */
import { fromLatin1, latin1 } from "../../mod/http/grammar.ts";

export class RawSocket {
  /** Longest wait for anything on loopback; only a failing case ever waits that long. */
  static patienceMs = 4000;
  /** Everything received so far. */
  received = "";
  /** The other side closed or reset. */
  ended = false;
  readonly #conn: Deno.TcpConn;
  readonly #reading: Promise<void>;
  /** Those who wait for something to change. */
  #waiting = new Set<() => void>();

  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
    conn.setNoDelay(true);
    this.#reading = this.#read();
  }

  static async connect(to: { readonly hostname: string; readonly port: number }): Promise<RawSocket> {
    return new RawSocket(await Deno.connect(to));
  }

  /** Sends all bytes of a Latin-1 text; a connection that is gone by then is no error. */
  async send(text: string): Promise<void> {
    const bytes = fromLatin1(text);
    let sent = 0;
    try {
      while (sent < bytes.length) sent += await this.#conn.write(bytes.subarray(sent));
    } catch {
      this.#change(() => this.ended = true);
    }
  }

  /** Sends FIN. */
  async finish(): Promise<void> {
    await this.#conn.closeWrite().catch(() => {});
  }

  /** Waits until `wanted` holds, the other side ended, or patience is over; answers whether `wanted` holds. */
  async until(wanted: () => boolean, patienceMs = RawSocket.patienceMs): Promise<boolean> {
    const deadline = performance.now() + patienceMs;
    while (!wanted() && !this.ended) {
      const left = deadline - performance.now();
      if (left <= 0) break;
      await this.#changed(left);
    }
    return wanted();
  }

  async close(): Promise<void> {
    try {
      this.#conn.close();
    } catch {
      // Closed by the other side already.
    }
    await this.#reading;
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    try {
      for (;;) {
        const size = await this.#conn.read(buffer);
        if (size === null) break;
        this.#change(() => this.received += latin1(buffer, 0, size));
      }
    } catch {
      // A reset ends it like a FIN.
    }
    this.#change(() => this.ended = true);
  }

  #change(apply: () => void): void {
    apply();
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const wake of waiting) wake();
  }

  #changed(limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      // No timer for an endless wait: one of more than 24 days would fire at once.
      const timer = limitMs === Infinity ? undefined : setTimeout(resolve, limitMs);
      this.#waiting.add(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
