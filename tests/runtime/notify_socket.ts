/** A service manager of the test's own: a datagram socket, by path or by an abstract name, and what came in. */
import { openLibc } from "../../mod/base/libc_io.ts";
import { unixAddress } from "../../mod/net/sockaddr.ts";

const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
const MSG_DONTWAIT = 0x40;
const POLL_MS = 5;
/** Only so that a test that would hang forever fails instead. */
const PATIENCE_MS = 30_000;

export class NotifySocket implements Disposable {
  /** Every message so far, in order. */
  readonly messages: string[] = [];
  readonly #library = openLibc();
  readonly #fd: number;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(readonly name: string) {
    const { libc } = this.#library;
    const address = unixAddress(name)!;
    this.#fd = libc.socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0);
    if (libc.bind(this.#fd, address, address.length) !== 0) throw new Error(`Cannot bind ${name}`);
    this.#timer = setInterval(() => this.#read(), POLL_MS);
  }

  /** The lines of all messages from the `after`-th on, those of the watchdog left out. */
  lines(after = 0): string[] {
    return this.messages.slice(after).flatMap((message) => message.split("\n"))
      .filter((line) => line !== "WATCHDOG=1");
  }

  /** Signs of life so far. */
  get alive(): number {
    return this.messages.filter((message) => message.split("\n").includes("WATCHDOG=1")).length;
  }

  /** Waits until it is so. */
  async until(wanted: () => boolean): Promise<void> {
    const giveUpAt = performance.now() + PATIENCE_MS;
    while (!wanted()) {
      if (performance.now() > giveUpAt) throw new Error(`Never so: ${JSON.stringify(this.messages)}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  #read(): void {
    const buffer = new Uint8Array(4096);
    for (;;) {
      const length = this.#library.libc.recv(this.#fd, buffer, BigInt(buffer.length), MSG_DONTWAIT);
      if (length < 0) return;
      this.messages.push(new TextDecoder().decode(buffer.subarray(0, length)));
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#library.libc.close(this.#fd);
    this.#library.close();
  }
}
