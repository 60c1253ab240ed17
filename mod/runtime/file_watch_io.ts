/**
 * Looks every second whether files are others than when they were read, and says so once they have been left alone for
 * a look: an editor, or a copy, may write them one after the other.
 *
 * What they were is not what the last look saw, but what whoever read them says, so that no change falls between.
 */
import { fileStamp } from "../base/file_stamp_io.ts";

/** Cheap: a stat of each file. */
const LOOK_MS = 1000;
/** A project of more is not looked at whole. */
const MAX_FILES = 1000;

export interface FileWatchOptions {
  /** Those that are to be looked at, now, with the stamp of what was read. */
  readonly files: () => ReadonlyMap<string, string>;
  /** False: this is not the moment, so it is told again with the next look. */
  readonly onChange: () => boolean;
}

export class FileWatch {
  readonly #options: FileWatchOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #last = "";
  /** What was told of. */
  #told = "";

  constructor(options: FileWatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => void this.look(), LOOK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** One look; by itself every second after `start`. */
  async look(): Promise<void> {
    const files = [...this.#options.files()].slice(0, MAX_FILES);
    const known = stampsOf(files);
    const seen = stampsOf(
      await Promise.all(files.map(async ([file]) => [file, await fileStamp(file)] as const)),
    );
    const isNews = seen !== known && seen === this.#last && seen !== this.#told;
    this.#last = seen;
    if (isNews && this.#options.onChange()) this.#told = seen;
  }
}

function stampsOf(files: readonly (readonly [file: string, stamp: string])[]): string {
  return files.map(([file, stamp]) => `${file} ${stamp}`).join("\n");
}
