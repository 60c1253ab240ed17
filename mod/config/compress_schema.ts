/**
 * The schema of compression, the same on a listener and on a route. Pure.
 */
import { z } from "zod";
import { choice, flag, integer, line, oneOrMore, size } from "./fields.ts";

/** Text that is worth it and that nobody compresses before. Event streams must be asked for. */
const TYPES = [
  "text/html",
  "text/plain",
  "text/css",
  "text/csv",
  "text/javascript",
  "text/markdown",
  "text/xml",
  "text/vtt",
  "application/javascript",
  "application/json",
  "application/ld+json",
  "application/manifest+json",
  "application/problem+json",
  "application/xml",
  "application/xhtml+xml",
  "application/rss+xml",
  "application/atom+xml",
  "application/wasm",
  "image/svg+xml",
  "font/otf",
  "font/ttf",
];

const TYPE = /^[!#$%&'*+.^_`|~0-9a-z-]+\/([!#$%&'*+.^_`|~0-9a-z-]+)$/;

const mediaType = line(1, 127).transform((text) => text.toLowerCase()).refine(
  (text) => TYPE.test(text) && !text.startsWith("*") && (!text.includes("*") || text.endsWith("/*")),
  "must be a media type without parameters, such as application/json or text/*",
);

const settings = z.strictObject({
  encodings: oneOrMore(choice("zstd", "br", "gzip")).prefault(["zstd", "br", "gzip"])
    .describe("What is offered, best first: `zstd`, `br` (Brotli), `gzip`; the client's weights go first."),
  types: oneOrMore(mediaType).prefault(TYPES)
    .describe("Media types that are compressed, without parameters; `text/*` for all of a kind."),
  // nginx: 20 bytes; below a packet nothing is gained.
  minSize: size(1).prefault("1k").describe(
    "Least length of a body; one of unknown length is always long enough.",
  ),
  levels: z.strictObject({
    gzip: integer(1, 9).prefault(4).describe("Level of gzip."),
    br: integer(0, 6).prefault(4).describe("Quality of Brotli."),
    zstd: integer(1, 6).prefault(3).describe("Level of Zstandard."),
  }).prefault({}).describe("How hard each tries: more costs time and memory."),
});

/** Actions whose answers have no body. */
export const UNCOMPRESSED: readonly string[] = ["redirect", "https"];

/** `true`: with the defaults. */
export const CompressSchema = z.union([flag(), settings])
  .transform((value) => value === true ? settings.parse({}) : value === false ? null : value);
