/**
 * Access lines to where each line is a message of its own: journald, a syslog daemon's socket, a syslog server.
 *
 * A batch is taken as it comes; a line that cannot be sent fails the write, and with it the rest of its batch, which
 * the sink counts. A server that is gone is tried again with a later batch, not with every one.
 */
import { EAGAIN, EINTR, errorName } from "../base/libc_io.ts";
import { unixAddress } from "../net/sockaddr.ts";
import { UnixDatagrams } from "../net/unix_datagram_io.ts";
import type { ByteWriter } from "./sink_io.ts";
import { journalEntry, localMessage, syslogMessage, type SyslogSender } from "./syslog.ts";

/** Where journald listens. */
export const JOURNAL_SOCKET = "/run/systemd/journal/socket";
/** A daemon's queue is full: it gets this long in all, in steps. */
const FULL_STEP_MS = 10;
const FULL_STEPS = 50;
/** How long a server that cannot be reached is left alone. */
const AGAIN_MS = 1000;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export interface LineWriter extends ByteWriter, Disposable {}

/** Writes to journald. */
export function journalWriter(socket = JOURNAL_SOCKET): LineWriter {
  return new DatagramWriter(socket, journalEntry);
}

/** Writes to the socket of a syslog daemon on this machine. */
export function localSyslogWriter(socket: string, sender: SyslogSender): LineWriter {
  return new DatagramWriter(socket, (line) => {
    const now = new Date();
    return localMessage(sender, now.getTime(), -now.getTimezoneOffset() * 60_000, line);
  });
}

class DatagramWriter implements LineWriter {
  readonly #socket = new UnixDatagrams();
  readonly #address: Uint8Array<ArrayBuffer>;
  readonly #message: (line: string) => string;

  constructor(path: string, message: (line: string) => string) {
    this.#address = unixAddress(path)!;
    this.#message = message;
  }

  async write(bytes: Uint8Array): Promise<number> {
    let sent = 0;
    for (const line of linesOf(bytes)) {
      const error = await this.#send(encoder.encode(this.#message(line)));
      if (error !== 0) return failed(sent, new Error(errorName(error)));
      sent += line.length + 1;
    }
    return bytes.length;
  }

  async #send(message: Uint8Array<ArrayBuffer>): Promise<number> {
    let error = this.#socket.send(this.#address, message);
    for (let step = 0; step < FULL_STEPS && (error === EAGAIN || error === EINTR); step++) {
      await new Promise((resolve) => setTimeout(resolve, FULL_STEP_MS));
      error = this.#socket.send(this.#address, message);
    }
    return error;
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }
}

/** Writes to a syslog server by UDP, a datagram a line (RFC 5426). */
export class UdpSyslogWriter implements LineWriter {
  readonly #address: Deno.NetAddr;
  readonly #sender: SyslogSender;
  #socket: Deno.DatagramConn | null = null;

  constructor(hostname: string, port: number, sender: SyslogSender) {
    this.#address = { transport: "udp", hostname, port };
    this.#sender = sender;
  }

  async write(bytes: Uint8Array): Promise<number> {
    const { hostname } = this.#address;
    this.#socket ??= Deno.listenDatagram({
      transport: "udp",
      hostname: hostname.includes(":") ? "::" : "0.0.0.0",
      port: 0,
    });
    let sent = 0;
    for (const line of linesOf(bytes)) {
      try {
        await this.#socket.send(encoder.encode(syslogMessage(this.#sender, Date.now(), line)), this.#address);
      } catch (error) {
        return failed(sent, error);
      }
      sent += line.length + 1;
    }
    return bytes.length;
  }

  [Symbol.dispose](): void {
    this.#socket?.close();
  }
}

/** Writes to a syslog server by TCP, each message behind its length. */
export class TcpSyslogWriter implements LineWriter {
  readonly #hostname: string;
  readonly #port: number;
  readonly #sender: SyslogSender;
  #conn: Deno.TcpConn | null = null;
  #againAt = 0;

  constructor(hostname: string, port: number, sender: SyslogSender) {
    this.#hostname = hostname;
    this.#port = port;
    this.#sender = sender;
  }

  async write(bytes: Uint8Array): Promise<number> {
    const conn = this.#conn ?? await this.#connect();
    let text = "";
    for (const line of linesOf(bytes)) {
      const message = syslogMessage(this.#sender, Date.now(), line);
      text += `${message.length} ${message}`;
    }
    const framed = encoder.encode(text);
    try {
      for (let at = 0; at < framed.length;) at += await conn.write(framed.subarray(at));
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
    return bytes.length;
  }

  async #connect(): Promise<Deno.TcpConn> {
    const now = performance.now();
    if (now < this.#againAt) throw new Error("the server could not be reached just now");
    this.#againAt = now + AGAIN_MS;
    const conn = this.#conn = await Deno.connect({ hostname: this.#hostname, port: this.#port });
    // Nothing is read: that it ends is known at once, and not by the first lines that are lost.
    void this.#untilClosed(conn);
    return conn;
  }

  async #untilClosed(conn: Deno.TcpConn): Promise<void> {
    const ignored = new Uint8Array(512);
    try {
      while (await conn.read(ignored) !== null);
    } catch {
      // Reset, or closed by us.
    }
    if (this.#conn === conn) this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.#conn?.close();
    this.#conn = null;
  }
}

function linesOf(bytes: Uint8Array): string[] {
  const lines = decoder.decode(bytes).split("\n");
  lines.pop();
  return lines;
}

/** What a write that failed amid a batch gives: what it took, or the error when that is nothing. */
function failed(sent: number, error: unknown): number {
  if (sent > 0) return sent;
  throw error;
}
