/**
 * A connection between two nodes that share a key: encrypted, and each sure that the other has the key too.
 *
 * Both draw a key for this connection alone (ECDH on P-256), so that who learns the shared one later cannot read what
 * was recorded; HKDF over both and over what was said in the open gives one AES-256-GCM key for each direction. Frames
 * are numbered: none can be left out, changed, repeated or sent back. A frame is bounded before it is read.
 */
import { createCipheriv, createDecipheriv, createECDH, hkdfSync } from "node:crypto";

/** As an election's datagrams are signed with. */
export interface SharedKey {
  readonly id: number;
  readonly secret: Uint8Array;
}

/** Largest frame. */
export const MAX_FRAME_BYTES = 1024 * 1024;
const MAGIC = new TextEncoder().encode("TNDM\x01");
const PURPOSE = "tandem exchange 1";
const POINT_BYTES = 65;
const KEY_BYTES = 32;
const TAG_BYTES = 16;
const LENGTH_BYTES = 4;
const ALGORITHM = "aes-256-gcm";

export class SealedLink {
  readonly #conn: Deno.Conn;
  readonly #outKey: Uint8Array;
  readonly #inKey: Uint8Array;
  #sent = 0n;
  #received = 0n;

  private constructor(conn: Deno.Conn, outKey: Uint8Array, inKey: Uint8Array) {
    this.#conn = conn;
    this.#outKey = outKey;
    this.#inKey = inKey;
  }

  /** Begins on a connection that was made, with the first of the keys. */
  static async open(conn: Deno.Conn, key: SharedKey): Promise<SealedLink> {
    const ours = createECDH("prime256v1");
    const hello = joined(MAGIC, Uint8Array.of(key.id), ours.generateKeys());
    await writeAll(conn, hello);
    const theirs = await readExactly(conn, POINT_BYTES);
    const [out, back] = keysOf(key, ours.computeSecret(theirs), joined(hello, theirs));
    return new SealedLink(conn, out, back);
  }

  /** Answers on a connection that came. Rejects when the other has none of the keys. */
  static async accept(conn: Deno.Conn, keys: readonly SharedKey[]): Promise<SealedLink> {
    const hello = await readExactly(conn, MAGIC.length + 1 + POINT_BYTES);
    if (!MAGIC.every((byte, at) => hello[at] === byte)) throw new Error("it is no node of this version");
    const key = keys.find(({ id }) => id === hello[MAGIC.length]);
    if (key === undefined) throw new Error("it has a key that this node does not have");
    const ours = createECDH("prime256v1");
    const point = ours.generateKeys();
    const secret = ours.computeSecret(hello.subarray(MAGIC.length + 1));
    await writeAll(conn, point);
    const [back, out] = keysOf(key, secret, joined(hello, point));
    return new SealedLink(conn, out, back);
  }

  async send(text: string): Promise<void> {
    const plain = new TextEncoder().encode(text);
    if (plain.length + TAG_BYTES > MAX_FRAME_BYTES) throw new Error("it is too long for one frame");
    const cipher = createCipheriv(ALGORITHM, this.#outKey, nonce(this.#sent++));
    const sealed = joined(cipher.update(plain), cipher.final(), cipher.getAuthTag());
    const length = new Uint8Array(LENGTH_BYTES);
    new DataView(length.buffer).setUint32(0, sealed.length);
    await writeAll(this.#conn, joined(length, sealed));
  }

  /** The next frame. Rejects when it is not what the other has sealed. */
  async receive(): Promise<string> {
    const head = await readExactly(this.#conn, LENGTH_BYTES);
    const length = new DataView(head.buffer).getUint32(0);
    if (length < TAG_BYTES || length > MAX_FRAME_BYTES) throw new Error("it sends frames of a wrong length");
    const sealed = await readExactly(this.#conn, length);
    const decipher = createDecipheriv(ALGORITHM, this.#inKey, nonce(this.#received++));
    decipher.setAuthTag(sealed.subarray(length - TAG_BYTES));
    try {
      const plain = joined(decipher.update(sealed.subarray(0, length - TAG_BYTES)), decipher.final());
      return new TextDecoder().decode(plain);
    } catch {
      throw new Error("it has another secret for its key, or somebody is in between");
    }
  }
}

/** One for what the node that began sends, one for what comes back. */
function keysOf({ secret }: SharedKey, agreed: Uint8Array, said: Uint8Array): [Uint8Array, Uint8Array] {
  const both = new Uint8Array(hkdfSync("sha256", joined(secret, agreed), said, PURPOSE, 2 * KEY_BYTES));
  return [both.subarray(0, KEY_BYTES), both.subarray(KEY_BYTES)];
}

function nonce(number: bigint): Uint8Array {
  const bytes = new Uint8Array(12);
  new DataView(bytes.buffer).setBigUint64(4, number);
  return bytes;
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

async function readExactly(conn: Deno.Conn, size: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size;) {
    const count = await conn.read(bytes.subarray(at));
    if (count === null) throw new Error("it ended the connection");
    at += count;
  }
  return bytes;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((size, { length }) => size + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
