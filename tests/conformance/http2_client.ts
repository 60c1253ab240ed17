/**
 * A client of HTTP/2 that sends what a case tells it to, right or wrong, and reads frames. Its encoder is as simple as the
 * standard allows, and its own.
 */
import { fromLatin1, latin1 } from "../../mod/http/grammar.ts";
import { FieldDecoder } from "../../mod/http2/decoder.ts";
import { Fields } from "../http2/fields.ts";
import { RawSocket } from "./raw_socket.ts";

export const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
export const [DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION] = Array.from(
  { length: 10 },
  (_, type) => type,
) as [number, number, number, number, number, number, number, number, number, number];
export const END_STREAM = 1, ACK = 1, END_HEADERS = 4, PADDED = 8, PRIORITIZED = 32;

export const CODES = [
  "NO_ERROR",
  "PROTOCOL_ERROR",
  "INTERNAL_ERROR",
  "FLOW_CONTROL_ERROR",
  "SETTINGS_TIMEOUT",
  "STREAM_CLOSED",
  "FRAME_SIZE_ERROR",
  "REFUSED_STREAM",
  "CANCEL",
  "COMPRESSION_ERROR",
  "CONNECT_ERROR",
  "ENHANCE_YOUR_CALM",
];

export function number(value: number, size: number): string {
  return Array.from({ length: size }, (_, i) => String.fromCharCode(value / 256 ** (size - 1 - i) & 255))
    .join("");
}

export function frame(type: number, flags: number, stream: number, payload = ""): string {
  return number(payload.length, 3) + number(type, 1) + number(flags, 1) + number(stream, 4) + payload;
}

/** Literals without indexing, names new. */
export function block(...fields: (readonly [string, string])[]): string {
  const text = (value: string) =>
    value.length < 127 ? number(value.length, 1) + value : "\x7f" + varint(value.length - 127) + value;
  return fields.map(([name, value]) => `\0${text(name)}${text(value)}`).join("");
}

function varint(value: number): string {
  return value < 128 ? number(value, 1) : number(value & 127 | 128, 1) + varint(value >> 7);
}

export const GET: (readonly [string, string])[] = [
  [":method", "GET"],
  [":scheme", "http"],
  [":path", "/"],
  [":authority", "test"],
];
export const POST: (readonly [string, string])[] = [[":method", "POST"], ...GET.slice(1)];

export function get(stream: number, ...more: (readonly [string, string])[]): string {
  return frame(HEADERS, END_STREAM | END_HEADERS, stream, block(...GET, ...more));
}

export function post(stream: number, ...more: (readonly [string, string])[]): string {
  return frame(HEADERS, END_HEADERS, stream, block(...POST, ...more));
}

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: string;
}

/** Frames as they are received. */
export class FrameLog {
  readonly frames: Frame[] = [];
  readonly #decoder = new FieldDecoder();
  readonly #decoded = new Map<Frame, string[]>();
  #rest = "";

  /** `decodes`: header blocks are read too. */
  constructor(readonly decodes = true) {}

  /** Takes bytes that arrived; returns the frames that they complete. */
  feed(text: string): Frame[] {
    this.#rest += text;
    const from = this.frames.length;
    let at = 0;
    while (this.#rest.length - at >= 9) {
      const head = fromLatin1(this.#rest.slice(at, at + 9));
      const length = head[0]! << 16 | head[1]! << 8 | head[2]!;
      if (this.#rest.length - at < 9 + length) break;
      const payload = this.#rest.slice(at + 9, at + 9 + length);
      const stream = (head[5]! & 127) << 24 | head[6]! << 16 | head[7]! << 8 | head[8]!;
      const one = { type: head[3]!, flags: head[4]!, stream, payload };
      this.frames.push(one);
      if (one.type === HEADERS && this.decodes) this.#decoded.set(one, this.#decode(payload));
      at += 9 + length;
    }
    this.#rest = this.#rest.slice(at);
    return this.frames.slice(from);
  }

  /** Bytes that are missing of the frame that came last. */
  get missing(): number {
    if (this.#rest.length < 9) return this.#rest.length === 0 ? 0 : 9 - this.#rest.length;
    const [a, b, c] = fromLatin1(this.#rest) as unknown as [number, number, number];
    return 9 + (a << 16 | b << 8 | c) - this.#rest.length;
  }

  /** Status of the last answer on a stream; 0: none has come. */
  status(stream: number): number {
    const heads = this.frames.filter((one) => one.type === HEADERS && one.stream === stream);
    const statuses = heads.flatMap((head) => this.fields(head)).filter((line) =>
      line.startsWith(":status: ")
    );
    return Number(statuses.at(-1)?.slice(9) ?? 0);
  }

  /** True when the answer on a stream is complete. */
  complete(stream: number): boolean {
    return this.frames.some((one) => one.stream === stream && isLast(one));
  }

  fields(head: Frame): string[] {
    return this.#decoded.get(head)!;
  }

  body(stream: number): string {
    return this.frames.filter((one) => one.type === DATA && one.stream === stream).map((one) => one.payload)
      .join("");
  }

  #decode(payload: string): string[] {
    const fields = new Fields(20_000);
    const bytes = fromLatin1(payload);
    if (!this.#decoder.decode(bytes, 0, bytes.length, fields)) throw new Error("the block is not valid");
    return fields.lines;
  }
}

export class Http2Client {
  readonly log = new FrameLog();
  readonly #socket: RawSocket;
  #read = 0;

  private constructor(socket: RawSocket) {
    this.#socket = socket;
  }

  static async connect(to: { readonly hostname: string; readonly port: number }): Promise<Http2Client> {
    return new Http2Client(await RawSocket.connect(to));
  }

  get frames(): readonly Frame[] {
    return this.log.frames;
  }

  send(bytes: string): Promise<void> {
    return this.#socket.send(bytes);
  }

  /** Waits until a frame has come for which it holds, or the connection ends. */
  async frame(wanted: (frame: Frame) => boolean): Promise<Frame | null> {
    await this.#socket.until(() => {
      this.#parse();
      return this.frames.some(wanted);
    });
    return this.frames.find(wanted) ?? null;
  }

  /** Waits for the end of the connection; false: it goes on. */
  async end(): Promise<boolean> {
    await this.#socket.until(() => this.#socket.ended);
    return this.#socket.ended;
  }

  /** Status of the answer on a stream, once it is complete; 0: there is none. */
  async status(stream: number): Promise<number> {
    await this.frame((one) =>
      one.stream === stream && (one.type === RST || isLast(one)) || one.type === GOAWAY
    );
    return this.log.status(stream);
  }

  close(): Promise<void> {
    return this.#socket.close();
  }

  #parse(): void {
    const { received } = this.#socket;
    this.log.feed(received.slice(this.#read));
    this.#read = received.length;
  }
}

function isLast(one: Frame): boolean {
  return (one.type === DATA || one.type === HEADERS) && (one.flags & END_STREAM) !== 0;
}

/** Code of a RST_STREAM or GOAWAY, by name. */
export function codeOf(one: Frame): string {
  const at = one.type === GOAWAY ? 4 : 0;
  const bytes = fromLatin1(one.payload);
  return CODES[bytes[at + 3]!] ?? latin1(bytes, at, at + 4);
}
