/**
 * Reads a TLS ClientHello without answering it: the server's name, the protocols and the versions that a client
 * offers (RFC 8446 section 4.1.2), so that a connection can be routed and passed on as it came.
 *
 * The bytes may come in any pieces and the message may be split over any records. The reader remembers how far it
 * has walked, so that a client that sends byte by byte, in records of a byte, is cheap too. It decrypts nothing,
 * checks no more than it reads, and never throws. Measured: 4 µs for 1.3 KB; 1.6 ms for 15 KiB byte by byte. Pure.
 */
import { isHostName, parseIp } from "../base/address.ts";
import { latin1 } from "../http/grammar.ts";

/** All that is read, record headers included. HAProxy: one buffer of 16 KiB, nginx: `preread_buffer_size` 16k. */
export const MAX_CLIENT_HELLO_BYTES = 16 * 1024;

export interface ClientHello {
  /** Lower case; empty: none was sent, or an IP address, which is no name (RFC 6066 section 3). */
  readonly serverName: string;
  /** ALPN (RFC 7301) in the client's order; a byte a character. */
  readonly protocols: readonly string[];
  /** Offered versions in the client's order, such as 0x0304 for TLS 1.3. */
  readonly versions: readonly number[];
}

/** Which part could not be read. `notTls`: these are the bytes of something else. */
export type HelloProblem =
  | "notTls"
  | "tooLarge"
  | "record"
  | "handshake"
  | "body"
  | "extensions"
  | "serverName"
  | "protocols"
  | "versions";

export type HelloRead =
  | { readonly kind: "more" }
  | { readonly kind: "hello"; readonly hello: ClientHello }
  | { readonly kind: "bad"; readonly problem: HelloProblem };

const MORE: HelloRead = { kind: "more" };
const RECORD_HEADER_BYTES = 5;
const MESSAGE_HEADER_BYTES = 4;
/** RFC 8446 section 5.1: 2^14. */
const MAX_RECORD_BYTES = 16384;
const HANDSHAKE = 22, MAJOR_VERSION = 3, CLIENT_HELLO = 1;
const SERVER_NAME = 0, ALPN = 16, SUPPORTED_VERSIONS = 43;
const HOST_NAME = 0;

export class ClientHelloReader {
  /** Offset behind the last record that is there as a whole. */
  #walked = 0;
  /** Bytes of the message in those records. */
  #gathered = 0;
  /** Length of the message with its header; 0: not known yet. */
  #needed = 0;

  /** `bytes` from `start` to `end` are all that has come so far. After anything but `more` the reader is done. */
  read(bytes: Uint8Array, start: number, end: number): HelloRead {
    const size = Math.min(end - start, MAX_CLIENT_HELLO_BYTES);
    for (;;) {
      const record = start + this.#walked;
      const left = size - this.#walked;
      const problem = recordProblem(bytes, record, left);
      if (problem) return bad(this.#walked === 0 ? problem : "record");
      if (left <= RECORD_HEADER_BYTES) break;
      const length = uint16(bytes, record + 3);
      const here = Math.min(length, left - RECORD_HEADER_BYTES);
      const found = this.#look(bytes, start, this.#gathered + here);
      if (found !== MORE) return found;
      if (here < length) break;
      this.#walked += RECORD_HEADER_BYTES + length;
      this.#gathered += length;
    }
    return size === MAX_CLIENT_HELLO_BYTES ? bad("tooLarge") : MORE;
  }

  /** Looks at the first `available` bytes of the message. */
  #look(bytes: Uint8Array, start: number, available: number): HelloRead {
    if (bytes[start + RECORD_HEADER_BYTES] !== CLIENT_HELLO) return bad("handshake");
    if (this.#needed === 0 && available >= MESSAGE_HEADER_BYTES) {
      const header = gather(bytes, start, MESSAGE_HEADER_BYTES);
      this.#needed = MESSAGE_HEADER_BYTES + (header[1]! << 16 | uint16(header, 2));
      if (this.#needed + RECORD_HEADER_BYTES > MAX_CLIENT_HELLO_BYTES) return bad("tooLarge");
    }
    if (this.#needed === 0 || available < this.#needed) return MORE;
    return readMessage(new Cursor(gather(bytes, start, this.#needed), MESSAGE_HEADER_BYTES, this.#needed));
  }
}

function bad(problem: HelloProblem): HelloRead {
  return { kind: "bad", problem };
}

function uint16(bytes: Uint8Array, at: number): number {
  return bytes[at]! << 8 | bytes[at + 1]!;
}

/** What is wrong with the header of a record of which `left` bytes are there. An empty one is not allowed (RFC 8446 section 5.1). */
function recordProblem(bytes: Uint8Array, at: number, left: number): HelloProblem | null {
  if (left > 0 && bytes[at] !== HANDSHAKE) return "notTls";
  if (left > 1 && bytes[at + 1] !== MAJOR_VERSION) return "notTls";
  if (left < RECORD_HEADER_BYTES) return null;
  const length = uint16(bytes, at + 3);
  return length === 0 || length > MAX_RECORD_BYTES ? "record" : null;
}

/** The first `size` bytes of the message, which are there: in place where one record holds them, else copied. */
function gather(bytes: Uint8Array, start: number, size: number): Uint8Array {
  const first = start + RECORD_HEADER_BYTES;
  if (uint16(bytes, start + 3) >= size) return bytes.subarray(first, first + size);
  const message = new Uint8Array(size);
  for (let record = start, filled = 0; filled < size;) {
    const length = uint16(bytes, record + 3);
    const from = record + RECORD_HEADER_BYTES;
    const part = Math.min(length, size - filled);
    message.set(bytes.subarray(from, from + part), filled);
    filled += part;
    record = from + length;
  }
  return message;
}

/** Reads big-endian fields; once something is missing it has failed, and gives zeros and nothing. */
class Cursor {
  failed = false;

  constructor(readonly bytes: Uint8Array, public at: number, readonly end: number) {}

  get left(): number {
    return this.end - this.at;
  }

  /** A number of one or two bytes. */
  uint(width: 1 | 2): number {
    if (!this.#take(width)) return 0;
    return width === 1 ? this.bytes[this.at - 1]! : uint16(this.bytes, this.at - 2);
  }

  skip(size: number): void {
    this.#take(size);
  }

  /** A vector whose length, between `min` and `max`, stands before it in one or two bytes. */
  vector(width: 1 | 2, min = 0, max = 0xffff): Cursor {
    const size = this.uint(width);
    if (size < min || size > max) this.failed = true;
    return this.#take(size)
      ? new Cursor(this.bytes, this.at - size, this.at)
      : new Cursor(this.bytes, this.end, this.end);
  }

  text(): string {
    return latin1(this.bytes, this.at, this.end);
  }

  #take(size: number): boolean {
    if (this.failed || this.left < size) this.failed = true;
    else this.at += size;
    return !this.failed;
  }
}

function readMessage(body: Cursor): HelloRead {
  const legacyVersion = body.uint(2);
  body.skip(32); // random
  body.vector(1, 0, 32); // session id
  const ciphers = body.vector(2, 2);
  body.vector(1, 1); // compression methods
  if (body.failed || ciphers.left % 2 !== 0) return bad("body");
  const names: string[] = [], protocols: string[] = [], versions: number[] = [];
  // RFC 5246 section 7.4.1.2: a client before TLS 1.3 may send no extensions at all.
  if (body.left > 0) {
    const extensions = body.vector(2);
    if (body.failed || body.left > 0) return bad("extensions");
    const problem = readExtensions(extensions, names, protocols, versions);
    if (problem !== null) return bad(problem);
  }
  const serverName = nameOf(names);
  if (serverName === null) return bad("serverName");
  if (versions.length === 0) versions.push(legacyVersion);
  return { kind: "hello", hello: { serverName, protocols, versions } };
}

/** Those that are not known are skipped, and with them those that are there to be unknown (RFC 8701). */
function readExtensions(
  extensions: Cursor,
  names: string[],
  protocols: string[],
  versions: number[],
): HelloProblem | null {
  const seen = new Set<number>();
  while (extensions.left > 0) {
    const type = extensions.uint(2);
    const data = extensions.vector(2);
    // RFC 8446 section 4.2: one of each type. Two could be read two ways.
    if (extensions.failed || seen.has(type)) return "extensions";
    seen.add(type);
    if (type === SERVER_NAME && !readNames(data, names)) return "serverName";
    if (type === ALPN && !readProtocols(data, protocols)) return "protocols";
    if (type === SUPPORTED_VERSIONS && !readVersions(data, versions)) return "versions";
  }
  return null;
}

/** RFC 6066 section 3. */
function readNames(data: Cursor, names: string[]): boolean {
  const list = data.vector(2, 1);
  if (data.failed || data.left > 0) return false;
  while (list.left > 0) {
    const type = list.uint(1);
    const name = list.vector(2, 1);
    if (list.failed) return false;
    if (type === HOST_NAME) names.push(name.text());
  }
  return true;
}

/** The one host name, or empty where there is none; null: more than one, or not a name. */
function nameOf(names: readonly string[]): string | null {
  if (names.length > 1) return null;
  const [name = ""] = names;
  if (name === "" || parseIp(name) !== null) return "";
  return isHostName(name) && !name.endsWith(".") ? name.toLowerCase() : null;
}

/** RFC 7301 section 3.1. */
function readProtocols(data: Cursor, protocols: string[]): boolean {
  const list = data.vector(2, 2);
  if (data.failed || data.left > 0) return false;
  while (list.left > 0) {
    const name = list.vector(1, 1);
    if (list.failed) return false;
    if (name.left !== 2 || !isGrease(uint16(name.bytes, name.at))) protocols.push(name.text());
  }
  return true;
}

/** RFC 8446 section 4.2.1. */
function readVersions(data: Cursor, versions: number[]): boolean {
  const list = data.vector(1, 2, 254);
  if (data.failed || data.left > 0 || list.left % 2 !== 0) return false;
  while (list.left > 0) {
    const version = list.uint(2);
    if (!isGrease(version)) versions.push(version);
  }
  return true;
}

/** RFC 8701 section 2: 0x0a0a, 0x1a1a … 0xfafa, which mean nothing. */
function isGrease(value: number): boolean {
  return (value & 0x0f0f) === 0x0a0a && value >> 8 === (value & 0xff);
}
