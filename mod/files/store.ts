/**
 * What is known of files: who may be sent, and the contents of small and of popular ones, for at most a second without
 * a new look.
 *
 * Nothing outside of a root is ever named: the path without its symbolic links must lie below the root's own, and
 * what is opened must be what was looked at. What is remembered is bounded in number and bytes; the least recently
 * used goes first; contents that are still being sent count until they are. Pure over `FileSystem`; `now` is any clock that does not jump, `wall` the time of day.
 */
import type { DirectoryEntry, Failure, FileStatus, FileSystem, OpenFile } from "./file_system.ts";
import { Lease, type LeaseKeeper } from "../net/buffers.ts";
import { formatHttpDate } from "./http_date.ts";

/** Contents up to here are kept: with its head it fits one large buffer of `mod/net/buffers.ts`. */
export const SMALL_FILE_BYTES = 63 * 1024;
/** nginx's `open_file_cache_valid` is a minute, and its cache off by default. */
const VALID_MS = 1000;
const MAX_ENTRIES = 8192;
const MAX_BYTES = 32 * 1024 * 1024;
/** Contents up to here are kept when the file is asked for again within a second: sending them costs half. */
export const KEPT_FILE_BYTES = 12 * 1024 * 1024;
/** Files up to here are compressed, once for all requests: 1 MB takes 8 ms (gzip) to 16 ms (Brotli). */
export const COMPRESSED_FILE_BYTES = 1024 * 1024;
/** Forms of a file that are kept: encodings with their levels. */
const MAX_FORMS = 3;
/** What an entry costs besides its contents. */
const ENTRY_BYTES = 512;
/** Every path of a configuration's roots; more than that is of configurations that are gone. */
const MAX_ROOTS = 1024;
/** A file younger than this may still change without its date changing: the coarsest file systems count two seconds. */
const SETTLED_MS = 2000;
/** Attempts to read a small file that changes all the time. */
const ATTEMPTS = 3;

/** What is at a path. */
export type Entry = FileEntry | OtherEntry;

export interface FileEntry {
  readonly kind: "file";
  /** Without symbolic links. */
  readonly realPath: string;
  readonly status: FileStatus;
  /** Strong, with its quotes: date in milliseconds and size, so that two nodes with the same copy agree. */
  readonly etag: string;
  /** Whole seconds, in milliseconds. */
  readonly modified: number;
  readonly lastModified: string;
}

export interface OtherEntry {
  /** `missing` also for what is not to be sent: outside of the root, a device, a pipe. */
  readonly kind: "directory" | "missing" | "denied" | "failed";
  readonly realPath: string;
}

interface Remembered {
  entry: Entry;
  checkedAt: number;
  contents: Contents | null;
  /** The same compressed, by encoding and level; null: it is no shorter so. */
  readonly forms: Map<string, Contents | null>;
  /** When it was last asked for, to see that it is popular. */
  usedAt: number;
  /** The contents may have changed without a sign of it. */
  unsettled: boolean;
}

/** The bytes of a file, in as many answers as there are. */
export class Contents implements LeaseKeeper {
  #leases = 0;
  #dropped = false;

  constructor(readonly bytes: Uint8Array, readonly free: (bytes: number) => void) {}

  /** A lease of all of it, only to be read; to be taken at once, and kept for as long as the bytes are wanted. */
  lease(): Lease {
    if (this.#dropped && this.#leases === 0) throw new Error("Cannot lease contents that are counted out");
    this.#leases++;
    return new Lease(this.bytes, this);
  }

  /** Called by `Lease.release`. */
  give(): void {
    if (--this.#leases === 0 && this.#dropped) this.free(this.bytes.length);
  }

  /** The store has it no longer: it is free once nobody sends it. */
  drop(): void {
    this.#dropped = true;
    if (this.#leases === 0) this.free(this.bytes.length);
  }
}

export class FileStore {
  readonly #system: FileSystem;
  /** By root, NUL and path; the least recently used first. */
  readonly #known = new Map<string, Remembered>();
  readonly #roots = new Map<string, { readonly path: string; readonly checkedAt: number }>();
  #bytes = 0;

  constructor(system: FileSystem) {
    this.#system = system;
  }

  /** Bytes that are remembered or still being sent, and what remembering them costs. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What is at `path` (`/a/b`, or empty for the root itself) below `root`. */
  look(root: string, path: string, now: number): Entry {
    const key = `${root}\0${path}`;
    const known = this.#known.get(key);
    if (known !== undefined) {
      this.#known.delete(key);
      this.#known.set(key, known);
      // What failed is tried again: mostly it was something else that the machine had too much of.
      if (now - known.checkedAt < VALID_MS && known.entry.kind !== "failed") return known.entry;
    }
    const entry = this.#find(root, path, now);
    if (known === undefined) this.#remember(key, entry, now);
    else this.#renew(known, entry, now);
    return entry;
  }

  /**
   * The whole contents of a small file that `look` has just found, or with `keepsPopular` of a popular one; null: it
   * is neither.
   */
  contents(
    root: string,
    path: string,
    now: number,
    wall: number,
    keepsPopular: boolean,
  ): Contents | "changing" | Failure | null {
    const known = this.#known.get(`${root}\0${path}`);
    if (known === undefined) return "missing";
    const popular = keepsPopular && now - known.usedAt < VALID_MS;
    known.usedAt = now;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const { entry } = known;
      if (entry.kind !== "file") return entry.kind === "directory" ? "missing" : entry.kind;
      if (known.contents !== null) return known.contents;
      const { size } = entry.status;
      if (size > SMALL_FILE_BYTES && !(popular && size <= KEPT_FILE_BYTES && this.#makeRoom(size, known))) {
        return null;
      }
      const read = this.#readWhole(entry);
      if (typeof read !== "string") {
        known.contents = new Contents(read, this.#free);
        known.unsettled ||= isYoung(entry, wall);
        this.#bytes += size;
        this.#makeRoom(0, known);
        return known.contents;
      }
      if (read !== "changing" && read !== "missing") return read;
      // Mostly a new version was put into its place, or its root leads elsewhere now.
      this.#roots.delete(root);
      this.#renew(known, this.#find(root, path, now), now);
    }
    return "changing";
  }

  /**
   * All of a file that `look` has just found, as `compress` makes it (null: it cannot now), which is asked once for each
   * `form`; null: it is too large, is no shorter so, or cannot be read.
   */
  compressed(
    root: string,
    path: string,
    form: string,
    wall: number,
    compress: (bytes: Uint8Array) => Uint8Array | null,
  ): Contents | null {
    const known = this.#known.get(`${root}\0${path}`);
    if (known?.entry.kind !== "file" || known.entry.status.size > COMPRESSED_FILE_BYTES) return null;
    const made = known.forms.get(form);
    if (made !== undefined) return made;
    const bytes = known.contents?.bytes ?? this.#readWhole(known.entry);
    if (typeof bytes === "string") return null;
    const out = compress(bytes);
    if (out === null) return null;
    const contents = out.length < bytes.length ? new Contents(out, this.#free) : null;
    known.unsettled ||= isYoung(known.entry, wall);
    if (known.forms.size === MAX_FORMS) dropForms(known);
    known.forms.set(form, contents);
    if (contents !== null) this.#bytes += out.length;
    this.#makeRoom(0, known);
    return contents;
  }

  /** The entry that `contents` was read of: it may be newer than what `look` said. */
  entryOf(root: string, path: string): FileEntry | null {
    const entry = this.#known.get(`${root}\0${path}`)?.entry;
    return entry?.kind === "file" ? entry : null;
  }

  /** Opens a file for sending in parts; "changing": it is no longer what was looked at. */
  open(entry: FileEntry): OpenFile | "changing" | Failure {
    const file = this.#system.open(entry.realPath);
    if (typeof file === "string") return file;
    if (sameStatus(file.status(), entry.status)) return file;
    file.close();
    return "changing";
  }

  /** Forgets what is known of a file and where its root leads, so that the next look is a fresh one. */
  forget(root: string, path: string): void {
    this.#roots.delete(root);
    const key = `${root}\0${path}`;
    const known = this.#known.get(key);
    if (known !== undefined) this.#drop(key, known);
  }

  /** What is in a directory that `look` has just found. */
  list(entry: OtherEntry): readonly DirectoryEntry[] | Failure {
    return this.#system.list(entry.realPath);
  }

  /** What an entry of such a directory is; a link is `special`. */
  lookInto(entry: OtherEntry, name: string): FileStatus | Failure {
    return this.#system.ownStatus(`${entry.realPath}/${name}`);
  }

  #find(root: string, path: string, now: number): Entry {
    const rootPath = this.#realRoot(root, now);
    if (typeof rootPath === "string") return other(rootPath);
    const real = this.#system.realPath(rootPath.path + path);
    if (typeof real === "string") return other(real);
    const below = rootPath.path === "/" ? "/" : `${rootPath.path}/`;
    if (real.path !== rootPath.path && !real.path.startsWith(below)) return other("missing");
    const status = this.#system.status(real.path);
    if (typeof status === "string") return other(status);
    if (status.kind === "directory") return { kind: "directory", realPath: real.path };
    return status.kind === "file" ? fileEntry(real.path, status) : other("missing");
  }

  /** The root without symbolic links; a root that is missing is looked for every time. */
  #realRoot(root: string, now: number): { readonly path: string } | Failure {
    const known = this.#roots.get(root);
    if (known !== undefined && now - known.checkedAt < VALID_MS) return known;
    const real = this.#system.realPath(root);
    if (typeof real === "string") return real;
    if (this.#roots.size >= MAX_ROOTS) this.#roots.clear();
    this.#roots.set(root, { path: real.path, checkedAt: now });
    return real;
  }

  #readWhole(entry: FileEntry): Uint8Array | "changing" | Failure {
    const file = this.open(entry);
    if (typeof file === "string") return file;
    try {
      const { size } = entry.status;
      const bytes = new Uint8Array(size);
      for (let at = 0; at < size;) {
        const read = file.read(bytes.subarray(at), at);
        if (typeof read === "string") return read;
        if (read === 0) return "changing";
        at += read;
      }
      return sameStatus(file.status(), entry.status) ? bytes : "changing";
    } finally {
      file.close();
    }
  }

  #remember(key: string, entry: Entry, now: number): void {
    const known = {
      entry,
      checkedAt: now,
      usedAt: -Infinity,
      contents: null,
      forms: new Map(),
      unsettled: false,
    };
    this.#known.set(key, known);
    this.#bytes += ENTRY_BYTES;
    this.#makeRoom(0, known);
  }

  /** Takes a fresh look over; contents stay while nothing says that they are others. */
  #renew(known: Remembered, entry: Entry, now: number): void {
    const { entry: before } = known;
    const same = before.kind === "file" && entry.kind === "file" && before.realPath === entry.realPath &&
      sameStatus(before.status, entry.status);
    if (!same || known.unsettled) {
      known.contents?.drop();
      known.contents = null;
      dropForms(known);
      known.unsettled = false;
    }
    if (!same) known.entry = entry;
    known.checkedAt = now;
  }

  /** Makes room for so many bytes, where that is possible without what is being used or sent. */
  #makeRoom(size: number, used: Remembered): boolean {
    for (const [key, known] of this.#known) {
      if (this.#known.size <= MAX_ENTRIES && this.#bytes + size <= MAX_BYTES) return true;
      if (known !== used) this.#drop(key, known);
    }
    return this.#bytes + size <= MAX_BYTES;
  }

  #drop(key: string, known: Remembered): void {
    this.#known.delete(key);
    this.#bytes -= ENTRY_BYTES;
    known.contents?.drop();
    dropForms(known);
  }

  #free = (bytes: number): void => {
    this.#bytes -= bytes;
  };
}

function dropForms({ forms }: Remembered): void {
  for (const contents of forms.values()) contents?.drop();
  forms.clear();
}

function isYoung({ status }: FileEntry, wall: number): boolean {
  return wall - status.modified < SETTLED_MS;
}

/** True when two looks saw the same file in the same state. */
export function sameStatus(now: FileStatus | Failure, before: FileStatus): boolean {
  return typeof now !== "string" && now.kind === before.kind && now.size === before.size &&
    now.modified === before.modified && now.identity === before.identity;
}

function other(kind: Failure): OtherEntry {
  return { kind, realPath: "" };
}

function fileEntry(realPath: string, status: FileStatus): FileEntry {
  const modified = Math.floor(status.modified / 1000) * 1000;
  return {
    kind: "file",
    realPath,
    status,
    etag: `"${Math.max(0, status.modified).toString(16)}-${status.size.toString(16)}"`,
    modified,
    lastModified: formatHttpDate(modified),
  };
}
