/**
 * A file system in memory, with symbolic links, that a test changes at any moment. Counts what is open.
 */
import type {
  DirectoryEntry,
  Failure,
  FileStatus,
  FileSystem,
  OpenFile,
} from "../../mod/files/file_system.ts";

type Node =
  | { kind: "file"; bytes: Uint8Array; modified: number; id: number; denied: boolean }
  | { kind: "directory"; id: number; denied: boolean }
  | { kind: "special"; id: number; denied: boolean }
  | { kind: "link"; to: string };

const MAX_LINKS = 16;

export class SimDisk implements FileSystem {
  /** Open files by number, as the kernel has them. */
  readonly #files = new Map<number, OpenFile>();
  #fds = 3;
  readonly #nodes = new Map<string, Node>([["/", { kind: "directory", id: 0, denied: false }]]);
  #ids = 1;
  /** Open files. */
  opened = 0;
  /** Calls so far, by name. */
  readonly calls = { realPath: 0, status: 0, open: 0, list: 0, read: 0 };
  /** Everything fails, as with no file descriptor left. */
  failing = false;
  /** Called before each read of a file. */
  onRead: (path: string, at: number) => void = () => {};

  /** Puts a file there, and the directories above it. Another file than the one that was there. */
  write(path: string, content: string | Uint8Array, modified = 1_000_000_000_000): this {
    this.#parents(path);
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    this.#nodes.set(path, { kind: "file", bytes, modified, id: this.#ids++, denied: false });
    return this;
  }

  /** Changes a file in its place. */
  change(path: string, content: string | Uint8Array, modified: number): void {
    const node = this.#nodes.get(path);
    if (node?.kind !== "file") throw new Error(`Cannot change ${path} as it is no file`);
    node.bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    node.modified = modified;
  }

  directory(path: string): this {
    this.#parents(path);
    this.#nodes.set(path, { kind: "directory", id: this.#ids++, denied: false });
    return this;
  }

  special(path: string): this {
    this.#parents(path);
    this.#nodes.set(path, { kind: "special", id: this.#ids++, denied: false });
    return this;
  }

  link(path: string, to: string): this {
    this.#parents(path);
    this.#nodes.set(path, { kind: "link", to });
    return this;
  }

  deny(path: string): this {
    const node = this.#nodes.get(path);
    if (node === undefined || node.kind === "link") throw new Error(`Cannot deny ${path}`);
    node.denied = true;
    return this;
  }

  remove(path: string): void {
    this.#nodes.delete(path);
  }

  realPath(path: string): { path: string } | Failure {
    this.calls.realPath++;
    if (this.failing) return "failed";
    const found = this.#resolve(path);
    return found === null ? "missing" : { path: found };
  }

  status(path: string): FileStatus | Failure {
    this.calls.status++;
    if (this.failing) return "failed";
    const found = this.#resolve(path);
    return found === null ? "missing" : statusOf(this.#nodes.get(found)!);
  }

  ownStatus(path: string): FileStatus | Failure {
    const node = this.#nodes.get(path);
    return node === undefined ? "missing" : statusOf(node);
  }

  open(path: string): OpenFile | Failure {
    this.calls.open++;
    if (this.failing) return "failed";
    const found = this.#resolve(path);
    if (found === null) return "missing";
    const node = this.#nodes.get(found)!;
    if (node.kind === "link" || node.kind === "special") throw new Error(`${path} must never be opened`);
    if (node.denied) return "denied";
    this.opened++;
    let closed = false;
    const fd = this.#fds++;
    const file: OpenFile = {
      fd,
      status: () => statusOf(node),
      read: (into, at) => {
        if (closed) throw new Error("A closed file is read");
        this.calls.read++;
        this.onRead(path, at);
        if (this.failing || node.kind !== "file") return "failed";
        const part = node.bytes.subarray(at, at + into.length);
        into.set(part);
        return part.length;
      },
      close: () => {
        if (closed) throw new Error("A file is closed twice");
        closed = true;
        this.opened--;
        this.#files.delete(fd);
      },
    };
    this.#files.set(fd, file);
    return file;
  }

  /** As the kernel reads for `sendfile`: at most so many bytes, fewer at the end of the file; null: it fails. */
  readByNumber(fd: number, at: number, most: number): Uint8Array | null {
    const file = this.#files.get(fd);
    if (file === undefined) throw new Error(`There is no open file ${fd}`);
    const into = new Uint8Array(most);
    const size = file.read(into, at);
    return typeof size === "string" ? null : into.subarray(0, size);
  }

  list(path: string): readonly DirectoryEntry[] | Failure {
    this.calls.list++;
    const node = this.#nodes.get(path);
    if (node?.kind === "directory" && node.denied) return "denied";
    const prefix = path === "/" ? "/" : `${path}/`;
    return [...this.#nodes].filter(([each]) => each !== "/" && each.startsWith(prefix))
      .map(([each, { kind }]) => ({ name: each.slice(prefix.length), directory: kind === "directory" }))
      .filter(({ name }) => !name.includes("/"));
  }

  #parents(path: string): void {
    for (let at = path.indexOf("/", 1); at > 0; at = path.indexOf("/", at + 1)) {
      const parent = path.slice(0, at);
      if (!this.#nodes.has(parent)) {
        this.#nodes.set(parent, { kind: "directory", id: this.#ids++, denied: false });
      }
    }
  }

  /** The path without links, `.` and `..`; null: it leads nowhere. */
  #resolve(path: string, links = 0): string | null {
    if (links > MAX_LINKS) return null;
    let here = "";
    const segments = path.split("/").filter((segment) => segment !== "" && segment !== ".");
    for (const [at, segment] of segments.entries()) {
      if (segment === "..") {
        here = here.slice(0, here.lastIndexOf("/"));
        continue;
      }
      const next = `${here}/${segment}`;
      const node = this.#nodes.get(next);
      if (node === undefined) return null;
      if (node.kind === "link") {
        const rest = segments.slice(at + 1).map((each) => `/${each}`).join("");
        return this.#resolve((node.to.startsWith("/") ? node.to : `${here}/${node.to}`) + rest, links + 1);
      }
      if (node.kind !== "directory" && at < segments.length - 1) return null;
      here = next;
    }
    return here === "" ? "/" : here;
  }
}

function statusOf(node: Node): FileStatus | Failure {
  if (node.kind === "link") return "missing";
  return {
    kind: node.kind,
    size: node.kind === "file" ? node.bytes.length : 0,
    modified: node.kind === "file" ? node.modified : 0,
    identity: String(node.id),
  };
}
