/** Writes ClientHellos, good and bad ones, byte by byte as RFC 8446 section 4.1.2 has them. */
import { fromLatin1 } from "../../mod/http/grammar.ts";

export type Bytes = readonly number[];

export interface HelloParts {
  /** Extension 0 with this one name. */
  readonly sni?: string;
  readonly alpn?: readonly string[];
  readonly versions?: readonly number[];
  /** Further extensions, before the others. */
  readonly more?: readonly Bytes[];
  /** Everything behind the compression methods, in the place of extensions. */
  readonly tail?: Bytes;
  readonly session?: Bytes;
  readonly legacyVersion?: number;
}

export function u16(value: number): Bytes {
  return [value >> 8 & 0xff, value & 0xff];
}

export function vector8(content: Bytes): Bytes {
  return [content.length, ...content];
}

export function vector16(content: Bytes): Bytes {
  return [...u16(content.length), ...content];
}

export function text(value: string): Bytes {
  return [...fromLatin1(value)];
}

export function extension(type: number, content: Bytes): Bytes {
  return [...u16(type), ...vector16(content)];
}

/** A server_name extension with entries of a type and a name. */
export function sniExtension(...entries: readonly (readonly [type: number, name: string])[]): Bytes {
  return extension(0, vector16(entries.flatMap(([type, name]) => [type, ...vector16(text(name))])));
}

/** The handshake message. */
export function helloMessage(parts: HelloParts = {}): Bytes {
  const { sni, alpn, versions, more = [], session = [], legacyVersion = 0x0303 } = parts;
  const extensions = [
    ...more.flat(),
    ...(sni === undefined ? [] : sniExtension([0, sni])),
    ...(alpn === undefined ? [] : extension(16, vector16(alpn.flatMap((name) => vector8(text(name)))))),
    ...(versions === undefined ? [] : extension(43, vector8(versions.flatMap(u16)))),
  ];
  const body = [
    ...u16(legacyVersion),
    ...Array.from({ length: 32 }, (_, at) => at),
    ...vector8(session),
    ...vector16([0x0a, 0x0a, 0x13, 0x01]),
    ...vector8([0]),
    ...(parts.tail ?? vector16(extensions)),
  ];
  return [1, body.length >> 16, ...u16(body.length), ...body];
}

/** The message in records of at most `size` bytes. */
export function records(message: Bytes, size = 16384): Uint8Array {
  const bytes: number[] = [];
  for (let at = 0; at < message.length; at += size) {
    bytes.push(22, 3, 1, ...vector16(message.slice(at, at + size)));
  }
  return Uint8Array.from(bytes);
}

export function helloBytes(parts: HelloParts = {}, size?: number): Uint8Array {
  return records(helloMessage(parts), size);
}
