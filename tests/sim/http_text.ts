/**
 * An HTTP/1.1 reader for tests, written apart from the product's and in strings: what it accepts is exactly what
 * Tandem may send (one framing, canonical), and everything else is an error.
 */

export interface Message {
  /** Request line or status line. */
  readonly line: string;
  /** Lower-case names; repeated fields are joined by ", ". */
  readonly headers: ReadonlyMap<string, string>;
  /** Latin-1. */
  readonly body: string;
  /** Trailer lines, if any. */
  readonly trailer: string;
  /** Status codes of interim responses before it. */
  readonly interim: readonly number[];
}

/** A head without its body: given as soon as it is there. */
export type Head = Pick<Message, "line" | "headers">;

const HEAD_END = "\r\n\r\n";

export class HttpText {
  /** Complete messages so far. */
  readonly messages: Message[] = [];
  /** Methods of requests whose responses are read here, in order; null: this reads requests. */
  readonly methods: string[] | null;
  onHead: (head: Head) => void = () => {};
  onMessage: (message: Message) => void = () => {};
  /** After a 101: everything that follows. */
  tunnel: string | null = null;
  #rest = "";
  #head: Head | null = null;
  #interim: number[] = [];
  #body = "";

  constructor(methods: string[] | null) {
    this.methods = methods;
  }

  /** True between messages. */
  get idle(): boolean {
    return this.#rest === "" && this.#head === null;
  }

  feed(view: Uint8Array): void {
    let text = "";
    for (const byte of view) text += String.fromCharCode(byte);
    if (this.tunnel !== null) this.tunnel += text;
    else this.#rest += text;
    while (this.#step());
  }

  /** The connection ended: it completes a body without a length. */
  end(): void {
    if (this.#head === null || this.#framing() !== "close") return;
    this.#complete(this.#rest, "", this.#rest.length);
  }

  #step(): boolean {
    if (this.tunnel !== null) return false;
    if (this.#head === null) return this.#readHead();
    const framing = this.#framing();
    if (framing === "close") return false;
    if (framing === "chunked") return this.#readChunked();
    if (this.#rest.length < framing) return false;
    this.#complete(this.#rest.slice(0, framing), "", framing);
    return true;
  }

  #readHead(): boolean {
    const end = this.#rest.indexOf(HEAD_END);
    if (end < 0) return false;
    const [line, ...fields] = this.#rest.slice(0, end).split("\r\n");
    const headers = new Map<string, string>();
    for (const field of fields) {
      const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([^\r\n]*)$/.exec(field);
      if (match === null) throw new Error(`Tandem sent the field line ${JSON.stringify(field)}`);
      const name = match[1]!.toLowerCase();
      const before = headers.get(name);
      if (before !== undefined && ["content-length", "transfer-encoding", "host"].includes(name)) {
        throw new Error(`Tandem sent ${name} twice`);
      }
      headers.set(name, before === undefined ? match[2]! : `${before}, ${match[2]}`);
    }
    if (headers.has("content-length") && headers.has("transfer-encoding")) {
      throw new Error("Tandem sent two framings");
    }
    this.#rest = this.#rest.slice(end + HEAD_END.length);
    const head = { line: line!, headers };
    const status = this.methods === null ? 0 : statusOf(line!);
    if (status === 101) {
      this.methods!.shift();
      this.messages.push({ ...head, body: "", trailer: "", interim: this.#interim });
      this.tunnel = this.#rest;
      this.#rest = "";
    } else if (status >= 100 && status < 200) this.#interim.push(status);
    else this.#head = head;
    this.onHead(head);
    return true;
  }

  #framing(): number | "chunked" | "close" {
    const { line, headers } = this.#head!;
    const length = headers.get("content-length");
    const coding = headers.get("transfer-encoding");
    if (this.methods !== null) {
      const status = statusOf(line);
      if (this.methods[0] === "HEAD" || status === 204 || status === 304) return 0;
    }
    if (coding !== undefined) {
      if (coding !== "chunked") throw new Error(`Tandem sent Transfer-Encoding: ${coding}`);
      return "chunked";
    }
    if (length !== undefined) {
      if (!/^(0|[1-9]\d*)$/.test(length)) throw new Error(`Tandem sent Content-Length: ${length}`);
      return Number(length);
    }
    return this.methods === null ? 0 : "close";
  }

  /** Reads one chunk, or the end. */
  #readChunked(): boolean {
    const end = this.#rest.indexOf("\r\n");
    if (end < 0) return false;
    const digits = this.#rest.slice(0, end);
    if (!/^(0|[1-9a-f][0-9a-f]*)$/.test(digits)) throw new Error(`Tandem sent the chunk size ${digits}`);
    const size = parseInt(digits, 16);
    const at = end + 2;
    if (size === 0) return this.#readTrailer(at);
    if (this.#rest.length < at + size + 2) return false;
    this.#body += this.#rest.slice(at, at + size);
    if (this.#rest.slice(at + size, at + size + 2) !== "\r\n") throw new Error("Tandem sent a broken chunk");
    this.#rest = this.#rest.slice(at + size + 2);
    return true;
  }

  #readTrailer(at: number): boolean {
    let trailer = "", used = at + 2;
    if (!this.#rest.startsWith("\r\n", at)) {
      const end = this.#rest.indexOf(HEAD_END, at);
      if (end < 0) return false;
      trailer = this.#rest.slice(at, end);
      used = end + HEAD_END.length;
    }
    this.#complete(this.#body, trailer, used);
    this.#body = "";
    return true;
  }

  #complete(body: string, trailer: string, used: number): void {
    const message = { ...this.#head!, body, trailer, interim: this.#interim };
    this.#interim = [];
    this.#head = null;
    this.#rest = this.#rest.slice(used);
    if (this.methods !== null && this.methods.shift() === undefined) {
      throw new Error(`Tandem sent an answer that nobody asked for: ${message.line}`);
    }
    this.messages.push(message);
    this.onMessage(message);
  }
}

export function statusOf(line: string): number {
  const match = /^HTTP\/1\.1 ([1-5]\d\d) [^\r\n]*$/.exec(line);
  if (match === null) throw new Error(`Tandem sent the status line ${JSON.stringify(line)}`);
  return Number(match[1]);
}
