/**
 * The plan of an answer: what of which file is sent, under which head. Everything is decided here; what is left to do
 * is to copy bytes. Pure over the store.
 */
import type { ErrorCode } from "../base/errors.ts";
import type { FilesAction } from "../config/snapshot.ts";
import { hasDirective } from "../compress/judge.ts";
import { encodeTarget } from "../route/encode.ts";
import type { RequestFacts } from "../route/match.ts";
import { readablePath } from "../route/path.ts";
import { judgeConditions, rangeHolds } from "./conditional.ts";
import {
  type Connection,
  failedHead,
  multipart,
  notModifiedHead,
  type Part,
  rangeHead,
  type Representation,
  unsatisfiableHead,
  wholeHead,
} from "./head.ts";
import { listingPage } from "./listing.ts";
import { locate, type Located } from "./locate.ts";
import { mediaType } from "./media_type.ts";
import { acceptedEncodings, type Encoding, SUFFIX } from "./negotiate.ts";
import { parseRanges } from "./ranges.ts";
import { type FilePath, filePath } from "./request_path.ts";
import { COMPRESSED_FILE_BYTES, type Contents, type FileEntry, type FileStore } from "./store.ts";

/** A file of a root, as it was when the plan was made. */
export interface ChosenFile {
  readonly path: string;
  readonly entry: FileEntry;
  /** All of it, when it is small or popular. */
  readonly contents: Contents | null;
}

export type Plan =
  | { readonly kind: "error"; readonly code: ErrorCode }
  | { readonly kind: "redirect"; readonly location: string }
  | { readonly kind: "page"; readonly html: string }
  /** `parts` follow the head; none: the head is all. */
  | {
    readonly kind: "file";
    readonly status: number;
    readonly head: string;
    readonly parts: readonly Part[];
    readonly file: ChosenFile;
  };

/** How files without a precompressed neighbour are compressed. */
export interface FileCompression {
  /** Whether files of this type and size are at all. */
  worthIt(type: string, size: number): boolean;
  /** What this client likes best; null: the file as it is. */
  readonly encoding: Encoding | null;
  /** Tells ways of compressing apart. */
  readonly form: string;
  compress(bytes: Uint8Array): Uint8Array | null;
}

export interface PlanOptions extends Connection {
  /** Null: none. */
  readonly compression: FileCompression | null;
  readonly store: FileStore;
  /** Milliseconds on a clock that never jumps. */
  readonly now: number;
  /** Milliseconds since the epoch. */
  readonly wall: number;
  /** Text that stands in no file, for several ranges. */
  readonly boundary: () => string;
  /** Whether contents of popular files are to be kept: the kernel does not send them by itself. */
  readonly keepsPopular: boolean;
}

const NOTHING: readonly Part[] = [];

/** Plans the answer to one request. */
export function planAnswer(action: FilesAction, facts: RequestFacts, options: PlanOptions): Plan {
  const { method } = facts;
  if (method !== "GET" && method !== "HEAD") return error("methodNotAllowed");
  const asked = filePath(facts.path, action);
  if (asked === null) return error("fileNotFound");
  const { store, now } = options;
  const located = locate(action, asked, (path) => store.look(action.root, path, now));
  switch (located.kind) {
    case "none":
      return error(NONE[located.why]);
    case "slash":
      return { kind: "redirect", location: withSlash(asked.encoded, facts.query) };
    case "listing":
      return planListing(action, asked, located, options);
    case "file":
      return planFile(action, facts, located, options);
  }
}

const NONE = { missing: "fileNotFound", forbidden: "fileForbidden", failed: "fileFailed" } as const;

function error(code: ErrorCode): Plan {
  return { kind: "error", code };
}

/** Begins with one slash, as empty segments name nothing: it cannot lead to another host. */
function withSlash(encoded: string, query: string): string {
  return encodeTarget(`${encoded}/${query === "" ? "" : `?${query}`}`);
}

function planListing(
  action: FilesAction,
  asked: FilePath,
  { entry }: Extract<Located, { kind: "listing" }>,
  { store }: PlanOptions,
): Plan {
  const entries = store.list(entry);
  if (typeof entries === "string") return error(entries === "failed" ? "fileFailed" : "fileForbidden");
  const html = listingPage({
    path: readablePath(action.stripPrefix) + asked.path,
    above: asked.path !== "/",
    entries,
    hidden: action.hidden,
    look: (name) => store.lookInto(entry, name),
  });
  return { kind: "page", html };
}

function planFile(
  action: FilesAction,
  facts: RequestFacts,
  located: Extract<Located, { kind: "file" }>,
  options: PlanOptions,
): Plan {
  const chosen = choose(action, facts, located, options);
  if (typeof chosen === "string") return error(chosen);
  const { encoding } = chosen;
  const { entry } = chosen.file;
  const type = mediaType(located.path, action.types);
  const compression = encoding === "" ? compressionOf(action, type, entry, options) : null;
  const asItIs: Representation = {
    size: entry.status.size,
    type,
    // RFC 9110 section 8.8.3.3: encodings are different representations, and their tags must differ.
    etag: encoding === "" ? entry.etag : `${entry.etag.slice(0, -1)}-${encoding}"`,
    lastModified: entry.lastModified,
    encoding,
    varies: action.precompressed.length > 0 || compression !== null,
    ranges: true,
    cacheControl: action.cacheControl,
  };
  const known = { etag: asItIs.etag, modified: entry.modified };
  const ranges = rangesOf(facts, known, asItIs.size, compression, options.wall);
  const squeezed = ranges === "whole" ? squeeze(action, chosen.file, compression, options) : null;
  const file = squeezed ?? chosen.file;
  const what = squeezed === null ? asItIs : squeezedOf(asItIs, squeezed, compression!);
  const bare = (status: number, head: string): Plan => ({ kind: "file", status, head, parts: NOTHING, file });
  const outcome = judgeConditions(facts, known, options.wall);
  if (outcome === "failed") return bare(412, failedHead(options));
  if (outcome === "notModified") return bare(304, notModifiedHead(what, options));
  if (facts.method === "HEAD") return bare(200, wholeHead(what, options));
  if (ranges === "unsatisfiable") return bare(416, unsatisfiableHead(what, options));
  if (ranges === "whole") {
    const parts = what.size === 0 ? NOTHING : [{ start: 0, end: what.size }];
    return { kind: "file", status: 200, head: wholeHead(what, options), parts, file };
  }
  const [range] = ranges;
  if (ranges.length === 1) {
    return { kind: "file", status: 206, head: rangeHead(what, range!, options), parts: ranges, file };
  }
  return { kind: "file", status: 206, file, ...multipart(what, ranges, options.boundary(), options) };
}

/** The compression that the file may go through; null: none. */
function compressionOf(
  { cacheControl }: FilesAction,
  type: string,
  { status: { size } }: FileEntry,
  { compression }: PlanOptions,
): FileCompression | null {
  const may = compression !== null && size <= COMPRESSED_FILE_BYTES && compression.worthIt(type, size) &&
    !hasDirective(cacheControl, "no-transform");
  return may ? compression : null;
}

/** What is asked for of the file as it is. Of one that this client gets compressed, its date tells nothing of parts. */
function rangesOf(
  facts: RequestFacts,
  known: { readonly etag: string; readonly modified: number },
  size: number,
  compression: FileCompression | null,
  wall: number,
): ReturnType<typeof parseRanges> {
  // RFC 9110 section 14.2: ranges are defined for GET only.
  const header = facts.method === "GET" ? facts.header("range") : null, ifRange = facts.header("if-range");
  const byDate = ifRange !== null && !ifRange.startsWith('"');
  if (header === null || byDate && compression !== null && compression.encoding !== null) return "whole";
  return rangeHolds(ifRange, known, wall) ? parseRanges(header, size) : "whole";
}

/** The file compressed; null: it is sent as it is. */
function squeeze(
  { root }: FilesAction,
  { path, entry }: ChosenFile,
  compression: FileCompression | null,
  { store, wall }: PlanOptions,
): ChosenFile | null {
  if (compression === null || compression.encoding === null) return null;
  const { form, compress } = compression;
  const contents = store.compressed(root, path, form, wall, compress);
  return contents === null ? null : { path, entry, contents };
}

/** RFC 9110 section 8.8.1: another runtime may make other bytes of it, so that the tag is a weak one. */
function squeezedOf(
  asItIs: Representation,
  { contents }: ChosenFile,
  { encoding }: FileCompression,
): Representation {
  return {
    ...asItIs,
    size: contents!.bytes.length,
    etag: `W/${asItIs.etag}`,
    encoding: encoding!,
    ranges: false,
  };
}

/** The file or its best precompressed neighbour, with its contents when it is small. */
function choose(
  action: FilesAction,
  facts: RequestFacts,
  { path, entry }: Extract<Located, { kind: "file" }>,
  options: PlanOptions,
): { readonly file: ChosenFile; readonly encoding: string } | ErrorCode {
  const { store, now } = options;
  const encodings = action.precompressed.length === 0
    ? []
    : acceptedEncodings(facts.header("accept-encoding"), action.precompressed);
  for (const encoding of encodings) {
    const beside = path + SUFFIX[encoding];
    const found = store.look(action.root, beside, now);
    if (found.kind !== "file") continue;
    const file = withContents(action.root, beside, found, options);
    // What cannot be read does not keep the file itself from being sent.
    if (typeof file !== "string") return { file, encoding };
  }
  const file = withContents(action.root, path, entry, options);
  return typeof file === "string" ? file : { file, encoding: "" };
}

function withContents(
  root: string,
  path: string,
  entry: FileEntry,
  { store, now, wall, keepsPopular }: PlanOptions,
): ChosenFile | ErrorCode {
  const contents = store.contents(root, path, now, wall, keepsPopular);
  if (contents === null) return { path, entry, contents };
  if (typeof contents !== "string") return { path, entry: store.entryOf(root, path) ?? entry, contents };
  return contents === "changing" ? "fileChanged" : READ_FAILURES[contents];
}

const READ_FAILURES = { missing: "fileNotFound", denied: "fileForbidden", failed: "fileFailed" } as const;
