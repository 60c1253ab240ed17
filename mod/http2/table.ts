/**
 * The indexing tables of HPACK (RFC 7541 section 2.3): the static one, and the dynamic one as a ring.
 */
import { type FieldLine, fieldLine, LINE_OVERHEAD } from "./field.ts";

/** What an entry counts besides its name and value (section 4.1). */
const ENTRY_OVERHEAD = 32;

/** Names in the order of appendix A; a value follows `=`. */
const STATIC = (":authority :method=GET :method=POST :path=/ :path=/index.html :scheme=http :scheme=https " +
  ":status=200 :status=204 :status=206 :status=304 :status=400 :status=404 :status=500 accept-charset " +
  "accept-encoding=gzip,_deflate accept-language accept-ranges accept access-control-allow-origin age allow " +
  "authorization cache-control content-disposition content-encoding content-language content-length " +
  "content-location content-range content-type cookie date etag expect expires from host if-match " +
  "if-modified-since if-none-match if-range if-unmodified-since last-modified link location max-forwards " +
  "proxy-authenticate proxy-authorization range referer refresh retry-after server set-cookie " +
  "strict-transport-security transfer-encoding user-agent vary via www-authenticate").split(" ");

/** Entry `i` has index `i + 1`. */
export const STATIC_TABLE: readonly FieldLine[] = STATIC.map((text) => {
  const [name = "", value = ""] = text.split("=");
  return fieldLine(name, value.replace("_", " "));
});

export function entrySize({ bytes }: FieldLine): number {
  return bytes.length - LINE_OVERHEAD + ENTRY_OVERHEAD;
}

export class FieldTable {
  #ring: (FieldLine | undefined)[] = new Array(16);
  /** Where the next entry goes. */
  #next = 0;
  #count = 0;
  #size = 0;

  /** `capacity` in bytes as section 4.1 counts them. */
  constructor(public capacity: number) {}

  /** The entry at an index of both tables, from 1; undefined: there is none. */
  at(index: number): FieldLine | undefined {
    if (index <= STATIC_TABLE.length) return STATIC_TABLE[index - 1];
    const back = index - STATIC_TABLE.length;
    if (back > this.#count) return undefined;
    return this.#ring[this.#next - back & this.#ring.length - 1];
  }

  /** True when an entry of so many bytes of name and value can stand in it at all. */
  holds(bytes: number): boolean {
    return bytes + ENTRY_OVERHEAD <= this.capacity;
  }

  /** Section 4.4: what is too large for the table empties it. */
  add(line: FieldLine): void {
    const size = entrySize(line);
    this.#evict(this.capacity - size);
    if (size > this.capacity) return;
    if (this.#count === this.#ring.length) this.#grow();
    this.#ring[this.#next] = line;
    this.#next = this.#next + 1 & this.#ring.length - 1;
    this.#count++;
    this.#size += size;
  }

  clear(): void {
    this.#evict(0);
  }

  resize(capacity: number): void {
    this.capacity = capacity;
    this.#evict(capacity);
  }

  #evict(size: number): void {
    while (this.#size > size && this.#count > 0) {
      const oldest = this.#next - this.#count & this.#ring.length - 1;
      this.#size -= entrySize(this.#ring[oldest]!);
      this.#ring[oldest] = undefined;
      this.#count--;
    }
  }

  #grow(): void {
    const entries = Array.from(
      { length: this.#count },
      (_, i) => this.at(STATIC_TABLE.length + this.#count - i),
    );
    this.#ring = new Array(2 * this.#ring.length);
    entries.forEach((entry, i) => this.#ring[i] = entry);
    this.#next = entries.length;
  }
}
