/** Cuts what a server says into packets whose length stands in their heads. Pure. */
export class Packets {
  #bytes: Uint8Array = new Uint8Array(0);
  readonly #headBytes: number;
  /** Bytes of a packet, its head included. */
  readonly #sizeOf: (head: DataView) => number;

  constructor(headBytes: number, sizeOf: (head: DataView) => number) {
    this.#headBytes = headBytes;
    this.#sizeOf = sizeOf;
  }

  get empty(): boolean {
    return this.#bytes.length === 0;
  }

  push(bytes: Uint8Array): void {
    const all = new Uint8Array(this.#bytes.length + bytes.length);
    all.set(this.#bytes);
    all.set(bytes, this.#bytes.length);
    this.#bytes = all;
  }

  /** True when the packet that comes would have more bytes than that. */
  oversized(most: number): boolean {
    return this.#bytes.length >= this.#headBytes && this.#sizeOf(viewOf(this.#bytes)) > most;
  }

  /** The next packet, its head included; null: it is not whole yet. */
  next(): Uint8Array | null {
    if (this.#bytes.length < this.#headBytes) return null;
    const size = Math.max(this.#headBytes, this.#sizeOf(viewOf(this.#bytes)));
    if (this.#bytes.length < size) return null;
    const packet = this.#bytes.subarray(0, size);
    this.#bytes = this.#bytes.subarray(size);
    return packet;
  }
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
