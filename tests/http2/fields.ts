/** A sink that notes what it is given. */
import { type FieldSink, SPARE_BYTES } from "../../mod/http2/decoder.ts";

export class Fields implements FieldSink {
  readonly bytes: Uint8Array;
  readonly limit: number;
  readonly lines: string[] = [];
  readonly kinds: number[] = [];
  at = 0;
  overflows = 0;

  constructor(limit = 1000) {
    this.limit = limit;
    this.bytes = new Uint8Array(limit + SPARE_BYTES);
  }

  field(kind: number, nameLength: number, end: number): void {
    const line = String.fromCharCode(...this.bytes.subarray(this.at, end));
    if (line.slice(nameLength, nameLength + 2) !== ": " || !line.endsWith("\r\n")) throw new Error(line);
    this.lines.push(line.slice(0, -2));
    this.kinds.push(kind);
    this.at = end;
  }

  overflow(): void {
    this.overflows++;
    this.at = 0;
  }
}
