/**
 * Reading and writing bytes one field after another, network order, without exceptions for what a peer sent.
 *
 * A reader that runs past the end fails once and for good and returns zeros: the caller reads a whole structure and
 * asks `complete` at its end. Text is bounded, valid UTF-8 and free of control characters, for it ends up in logs.
 */

const CONTROL = /\p{Cc}/u;

export class Reader {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  #at = 0;
  #failed = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** True when every read was inside the bytes and every text well-formed. */
  get intact(): boolean {
    return !this.#failed;
  }

  /** True when, besides, nothing is left over. */
  get complete(): boolean {
    return !this.#failed && this.#at === this.#bytes.length;
  }

  u8(): number {
    const at = this.#advance(1);
    return at < 0 ? 0 : this.#view.getUint8(at);
  }

  u16(): number {
    const at = this.#advance(2);
    return at < 0 ? 0 : this.#view.getUint16(at);
  }

  u64(): bigint {
    const at = this.#advance(8);
    return at < 0 ? 0n : this.#view.getBigUint64(at);
  }

  /** 64 bits that must be a safe integer. */
  safe(): number {
    const value = this.u64();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) this.#failed = true;
    return this.#failed ? 0 : Number(value);
  }

  /** A view, not a copy. */
  bytes(length: number): Uint8Array {
    const at = this.#advance(length);
    return at < 0 ? this.#bytes.subarray(0, 0) : this.#bytes.subarray(at, at + length);
  }

  text(length: number): string {
    const bytes = this.bytes(length);
    try {
      const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
      if (!CONTROL.test(text)) return text;
    } catch {
      // Not UTF-8: the same as any other malformed field.
    }
    this.#failed = true;
    return "";
  }

  /** Text with its length in one byte before it. */
  shortText(): string {
    return this.text(this.u8());
  }

  #advance(length: number): number {
    const at = this.#at;
    if (this.#failed || at + length > this.#bytes.length) {
      this.#failed = true;
      return -1;
    }
    this.#at += length;
    return at;
  }
}

export class Writer {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  #at = 0;

  /** Room for `capacity` bytes; writing more throws a RangeError, for it is our own mistake. */
  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#at;
  }

  u8(value: number): this {
    this.#view.setUint8(this.#take(1), value);
    return this;
  }

  u16(value: number): this {
    this.#view.setUint16(this.#take(2), value);
    return this;
  }

  u64(value: bigint | number): this {
    this.#view.setBigUint64(this.#take(8), BigInt(value));
    return this;
  }

  bytes(bytes: Uint8Array): this {
    this.#bytes.set(bytes, this.#take(bytes.length));
    return this;
  }

  shortText(text: string): this {
    const bytes = new TextEncoder().encode(text);
    if (bytes.length > 255) throw new RangeError(`Cannot write a text of more than 255 bytes: ${text}`);
    return this.u8(bytes.length).bytes(bytes);
  }

  /** What has been written, as a view. */
  written(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#at);
  }

  #take(length: number): number {
    const at = this.#at;
    if (at + length > this.#bytes.length) {
      throw new RangeError(
        `Cannot write ${at + length} bytes as there is room for ${this.#bytes.length}`,
      );
    }
    this.#at += length;
    return at;
  }
}
