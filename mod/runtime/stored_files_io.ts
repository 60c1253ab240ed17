/**
 * The files that must outlast a node, in one directory of the keeper's: certificates, keys, accounts. Nobody but its
 * user reads them, and there is never half a file. One that is to be forgotten becomes empty, as the newest of all
 * nodes counts: were it gone, another node would give it back. Empty ones go in the end.
 */
import { reasonOf } from "../base/reason.ts";
import { damageOf } from "../acme/damage_io.ts";
import { MAX_STORED_CHARS, STORED_NAME } from "../acme/record.ts";
import { MAX_FILES } from "./file_exchange.ts";

const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;
/** A node that was away for longer gives back what was forgotten: by then it has expired, or soon will have. */
const EMPTY_MS = 90 * 24 * 3600_000;

export interface StoredFile {
  readonly name: string;
  readonly text: string;
  /** When it was written, in milliseconds since 1970, and never earlier than what it replaces. */
  readonly at: number;
}

export class StoredFiles {
  /** Null: nothing is stored. */
  directory: string | null = null;
  #order: Promise<unknown> = Promise.resolve();

  /**
   * Writes a file. `at`: when another node wrote it; a file of ours that is as new stays. What is in the way, or empty.
   */
  store(name: string, text: string, at: number | null = null): Promise<string> {
    const written = this.#order.then(() => this.#store(name, text, at)).catch((error: unknown) =>
      `Cannot store ${name} in ${this.directory}: ${whyNotStored(error)}`
    );
    this.#order = written;
    return written;
  }

  /** When each file was written, by name. */
  async times(): Promise<ReadonlyMap<string, number>> {
    const times = new Map<string, number>();
    try {
      for await (const { name, isFile } of Deno.readDir(this.directory ?? "")) {
        if (!isFile || !STORED_NAME.test(name)) continue;
        const facts = await this.#factsOf(name);
        if (facts === null) continue;
        const { at, size } = facts;
        if (size === 0 && at < Date.now() - EMPTY_MS) await Deno.remove(`${this.directory}/${name}`);
        else if (times.size < MAX_FILES) times.set(name, at);
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    return times;
  }

  /** Null: there is no such file. */
  async read(name: string): Promise<StoredFile | null> {
    if (this.directory === null || !STORED_NAME.test(name)) return null;
    const facts = await this.#factsOf(name);
    return facts === null
      ? null
      : { name, at: facts.at, text: await Deno.readTextFile(`${this.directory}/${name}`) };
  }

  async #store(name: string, text: string, at: number | null): Promise<string> {
    const { directory } = this;
    if (directory === null) return `Cannot store ${name} as the configuration has no acme`;
    if (!STORED_NAME.test(name)) return "Cannot store a file of such a name";
    if (text.length > MAX_STORED_CHARS) return `Cannot store ${name} as it is too long`;
    const before = (await this.#factsOf(name))?.at ?? null;
    if (at !== null && before !== null && before >= at) return "";
    // The other node has not looked yet whether it is old enough to go.
    if (at !== null && text === "" && at < Date.now() - EMPTY_MS) return "";
    const path = `${directory}/${name}`;
    const stored = before === null ? "" : await Deno.readTextFile(path);
    const isBad = damageOf(name, stored) !== null, comesBad = damageOf(name, text) !== null;
    // The other node's is damaged: it is given ours, as the newer one.
    if (at !== null && comesBad && stored !== "" && !isBad) return await this.#store(name, stored, at + 1);
    // An account's key may still stand in it; one that is to be forgotten goes all the same.
    if (isBad && !comesBad && text !== "") await Deno.rename(path, `${path}.bad`);
    // Also when the clock was set back: the last one counts.
    const time = at ?? Math.max(Date.now(), (before ?? 0) + 1);
    await Deno.mkdir(directory, { recursive: true, mode: DIRECTORY_MODE });
    const next = `${path}.next`;
    const file = await Deno.open(next, { write: true, create: true, truncate: true, mode: FILE_MODE });
    try {
      const bytes = new TextEncoder().encode(text);
      // A disk that fills up takes a part first.
      for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
      await file.utime(time / 1000, time / 1000);
      await file.sync();
    } catch (error) {
      file.close();
      await Deno.remove(next).catch(() => {});
      throw error;
    }
    file.close();
    await Deno.rename(next, path);
    return "";
  }

  async #factsOf(name: string): Promise<{ readonly at: number; readonly size: number } | null> {
    try {
      const { mtime, size } = await Deno.stat(`${this.directory}/${name}`);
      return mtime === null ? null : { at: mtime.getTime(), size };
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    }
  }
}

function whyNotStored(error: unknown): string {
  if (error instanceof Deno.errors.PermissionDenied) return "this user may not write there";
  return reasonOf(error);
}
