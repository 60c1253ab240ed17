/** Reads a connection by lines and lengths. */

const decoder = new TextDecoder("latin1");

export class Buffered {
  #bytes = new Uint8Array(0);

  constructor(readonly conn: Deno.Conn) {}

  /** Nothing has arrived that was not read. */
  get empty(): boolean {
    return this.#bytes.length === 0;
  }

  /** Everything up to and with `end`, as Latin-1. */
  async through(end: string): Promise<string> {
    while (true) {
      const text = decoder.decode(this.#bytes);
      const at = text.indexOf(end);
      if (at >= 0) {
        this.#bytes = this.#bytes.subarray(at + end.length);
        return text.slice(0, at + end.length);
      }
      await this.#more();
    }
  }

  async exactly(length: number): Promise<Uint8Array<ArrayBuffer>> {
    while (this.#bytes.length < length) await this.#more();
    const taken = this.#bytes.slice(0, length);
    this.#bytes = this.#bytes.subarray(length);
    return taken;
  }

  async #more(): Promise<void> {
    const chunk = new Uint8Array(16 * 1024);
    const size = await this.conn.read(chunk);
    if (size === null) throw new Error(`the connection ended after ${this.#bytes.length} more bytes`);
    if (this.#bytes.length === 0) {
      this.#bytes = chunk.subarray(0, size);
      return;
    }
    const joined = new Uint8Array(this.#bytes.length + size);
    joined.set(this.#bytes);
    joined.set(chunk.subarray(0, size), this.#bytes.length);
    this.#bytes = joined;
  }
}
