/**
 * Appends to a log file, through libc, as the balancer has given up the permission to write files.
 *
 * The file is opened anew when somebody else has renamed or removed it, which is looked at once a second, so that
 * logrotate needs no signal. With `rotate` it is renamed here when it has grown: FILE to FILE.1, FILE.1 to FILE.2 and so
 * on. Two processes may write to it at once (an upgrade): each write appends whole lines.
 */
import { dirname } from "node:path";
import { cString, type FileLibc, lastError, openFileLibc } from "../base/libc_io.ts";
import { writeTo } from "./descriptor_io.ts";
import type { ByteWriter } from "./sink_io.ts";

export interface Rotation {
  /** Bytes. */
  readonly size: number;
  /** Renamed files that are kept. */
  readonly keep: number;
}

/** Write only, create, append, close-on-exec; and not to wait for the reader of a pipe. */
const FLAGS = 1 | 0o100 | 0o2000 | 0o2000000 | 0o4000;
/** Whoever is in the group may read it. */
const MODE = 0o640;
const LOOK_MS = 1000;

export class FileWriter implements ByteWriter, Disposable {
  readonly #path: string;
  readonly #rotation: Rotation | null;
  readonly #now: () => number;
  readonly #library: { readonly libc: FileLibc; close(): void };
  /** Why it could not be opened at first; null: it could. */
  readonly unopened: unknown = null;
  #fd = -1;
  #inode = "";
  #size = 0;
  #lookAt = 0;

  /**
   * Opens the file, which is made when it does not exist. Throws with a message for people; `mayWait`: each write tries
   * it again instead.
   */
  constructor(
    path: string,
    rotation: Rotation | null = null,
    now: () => number = () => performance.now(),
    mayWait = false,
  ) {
    this.#path = path;
    this.#rotation = rotation;
    this.#now = now;
    this.#library = openFileLibc();
    try {
      this.#open();
    } catch (error) {
      this.unopened = error;
      if (mayWait) return;
      this.#library.close();
      throw error;
    }
  }

  async write(bytes: Uint8Array): Promise<number> {
    if (this.#fd < 0) this.#open();
    else if (this.#isAnother()) this.#openAgain();
    if (this.#rotation !== null && this.#size > 0 && this.#size + bytes.length > this.#rotation.size) {
      this.#rotate(this.#rotation);
    }
    const written = await writeTo(this.#library.libc, this.#fd, bytes);
    this.#size += written;
    return written;
  }

  [Symbol.dispose](): void {
    this.#close();
    this.#library.close();
  }

  #close(): void {
    if (this.#fd >= 0) this.#library.libc.close(this.#fd);
    this.#fd = -1;
  }

  #open(): void {
    const { libc } = this.#library;
    const fd = libc.create(cString(this.#path), FLAGS, MODE);
    if (fd < 0) throw new Error(lastError(libc));
    this.#close();
    this.#fd = fd;
    const { size, inode } = this.#look();
    this.#size = size;
    this.#inode = inode;
  }

  /** True when what has the name is not what is open. */
  #isAnother(): boolean {
    const now = this.#now();
    if (now < this.#lookAt) return false;
    this.#lookAt = now + LOOK_MS;
    const { inode, size } = this.#look();
    this.#size = size;
    return inode !== this.#inode;
  }

  /**
   * What is open still takes lines where the name cannot be had now: who rotates makes it in a moment. Not where there is
   * not even the directory: nobody would ever read them.
   */
  #openAgain(): void {
    try {
      this.#open();
    } catch (error) {
      if (isThere(dirname(this.#path))) return;
      this.#lookAt = 0;
      throw error;
    }
  }

  #look(): { readonly inode: string; readonly size: number } {
    try {
      const { dev, ino, size } = Deno.statSync(this.#path);
      return { inode: `${dev}/${ino}`, size };
    } catch {
      return { inode: "", size: 0 };
    }
  }

  /** A file that cannot be renamed grows on, which is better than no log. */
  #rotate({ keep }: Rotation): void {
    const { libc } = this.#library;
    const named = (number: number) => cString(number === 0 ? this.#path : `${this.#path}.${number}`);
    for (let number = keep - 1; number >= 0; number--) libc.rename(named(number), named(number + 1));
    this.#openAgain();
  }
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
