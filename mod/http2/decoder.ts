/**
 * Decodes the header blocks of one connection (RFC 7541), each field into a line of HTTP/1 in a buffer of the caller's:
 * what is passed on as HTTP/1 is then already written.
 *
 * A field that the table holds is copied, and was looked at when it came. Fields beyond the buffer's room are decoded
 * for the table's sake and reported as too many; what a block can cost is bounded by its size and the table's.
 */
import { copyBytes } from "../base/bytes.ts";
import { fieldKind, type FieldLine, kindOfNamed, LINE_OVERHEAD } from "./field.ts";
import { decodeHuffman, LONGEST_BITS, SHORTEST_BITS } from "./huffman.ts";
import { FieldTable } from "./table.ts";

/** SETTINGS_HEADER_TABLE_SIZE, as it is unless we say otherwise (RFC 9113 section 6.5.2). */
export const TABLE_BYTES = 4096;
/**
 * Room that a sink's buffer needs behind what it may hold: for any field that goes into the table, decoded from codes of
 * 30 bits while it is not known that they are not of 5.
 */
export const SPARE_BYTES = TABLE_BYTES * LONGEST_BITS / SHORTEST_BITS + LINE_OVERHEAD;
/** Integers larger than this are nobody's. */
const MAX_INTEGER = 1 << 24;

/** Where the lines go. */
export interface FieldSink {
  readonly bytes: Uint8Array;
  /** Where the next line begins; `field` may set it back. */
  at: number;
  /** The most that `at` may be, for a line to be kept; `SPARE_BYTES` must follow. */
  readonly limit: number;
  /** A line stands at `at`, with a name of `nameLength` bytes, up to `end`: move `at` behind it to keep it. */
  field(kind: number, nameLength: number, end: number): void;
  /** A field was left out, as there is no room. */
  overflow(): void;
}

export class FieldDecoder {
  readonly #table = new FieldTable(TABLE_BYTES);
  #at = 0;
  #end = 0;
  #bytes!: Uint8Array;

  /** False: the block is not valid, and the connection cannot go on (COMPRESSION_ERROR). */
  decode(bytes: Uint8Array, start: number, end: number, sink: FieldSink): boolean {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    let fields = false;
    while (this.#at < end) {
      const first = bytes[this.#at]!;
      if (first >= 0x80) {
        if (!this.#indexed(sink)) return false;
        fields = true;
      } else if (first >= 0x40) {
        if (!this.#literal(sink, 6, true)) return false;
        fields = true;
      } else if (first < 0x20) {
        if (!this.#literal(sink, 4, false)) return false;
        fields = true;
      } else {
        // Section 4.2: a change of the table's size stands at the beginning of a block.
        const size = this.#integer(5);
        if (fields || size < 0 || size > TABLE_BYTES) return false;
        this.#table.resize(size);
      }
    }
    return true;
  }

  #indexed(sink: FieldSink): boolean {
    const line = this.#table.at(this.#integer(7));
    if (line === undefined) return false;
    const { bytes, nameLength, kind } = line;
    const end = sink.at + bytes.length;
    if (end > sink.limit) sink.overflow();
    else {
      copyBytes(sink.bytes, sink.at, bytes, 0, bytes.length);
      sink.field(kind, nameLength, end);
    }
    return true;
  }

  #literal(sink: FieldSink, prefix: number, keep: boolean): boolean {
    const { bytes: out, at: start } = sink;
    const index = this.#integer(prefix);
    if (index < 0) return false;
    const named = index === 0 ? null : this.#table.at(index);
    if (named === undefined) return false;
    const nameEnd = named === null ? this.#text(out, start) : copyName(named, out, start);
    if (nameEnd === BAD) return false;
    if (nameEnd === NO_ROOM) return this.#skip(sink, keep);
    out[nameEnd] = 0x3a;
    out[nameEnd + 1] = 0x20;
    const valueEnd = this.#text(out, nameEnd + 2);
    if (valueEnd === BAD) return false;
    if (valueEnd === NO_ROOM) return this.#tooLarge(sink, keep);
    out[valueEnd] = 0x0d;
    out[valueEnd + 1] = 0x0a;
    const end = valueEnd + 2;
    const nameLength = nameEnd - start;
    const kind = named === null
      ? fieldKind(out, start, nameLength, end)
      : kindOfNamed(named.kind, out, start, nameEnd, end);
    if (keep) this.#keep(out, start, nameLength, end, kind);
    if (end > sink.limit) sink.overflow();
    else sink.field(kind, nameLength, end);
    return true;
  }

  #keep(out: Uint8Array, start: number, nameLength: number, end: number, kind: number): void {
    if (!this.#table.holds(end - start - LINE_OVERHEAD)) return this.#table.clear();
    const line: FieldLine = { bytes: out.slice(start, end), nameLength, kind };
    this.#table.add(line);
  }

  /** There was no room for the name; the value is to be passed over. */
  #skip(sink: FieldSink, keep: boolean): boolean {
    return this.#passText() && this.#tooLarge(sink, keep);
  }

  /** What does not fit into `SPARE_BYTES` does not fit into the table either. */
  #tooLarge(sink: FieldSink, keep: boolean): boolean {
    if (keep) this.#table.clear();
    sink.overflow();
    return true;
  }

  /** Decodes a text to `out` at `at`; returns the offset behind it, BAD or NO_ROOM, and then it has been passed over. */
  #text(out: Uint8Array, at: number): number {
    if (this.#at >= this.#end) return BAD;
    const huffman = this.#bytes[this.#at]! >= 0x80;
    const length = this.#integer(7);
    const start = this.#at;
    if (length < 0 || start + length > this.#end) return BAD;
    this.#at = start + length;
    const most = huffman ? Math.floor(8 * length / SHORTEST_BITS) : length;
    if (at + most + LINE_OVERHEAD > out.length) return NO_ROOM;
    if (huffman) return decodeHuffman(this.#bytes, start, start + length, out, at);
    copyBytes(out, at, this.#bytes, start, start + length);
    return at + length;
  }

  #passText(): boolean {
    if (this.#at >= this.#end) return false;
    const length = this.#integer(7);
    if (length < 0 || this.#at + length > this.#end) return false;
    this.#at += length;
    return true;
  }

  /** An integer whose first byte holds `prefix` bits of it (section 5.1); negative: not valid. */
  #integer(prefix: number): number {
    const most = (1 << prefix) - 1;
    let value = this.#bytes[this.#at++]! & most;
    if (value < most) return value;
    for (let shift = 0; this.#at < this.#end && shift <= 21; shift += 7) {
      const byte = this.#bytes[this.#at++]!;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value <= MAX_INTEGER ? value : -1;
    }
    return -1;
  }
}

const BAD = -1;
const NO_ROOM = -2;

function copyName(line: FieldLine, out: Uint8Array, at: number): number {
  if (at + line.nameLength + LINE_OVERHEAD > out.length) return NO_ROOM;
  copyBytes(out, at, line.bytes, 0, line.nameLength);
  return at + line.nameLength;
}
