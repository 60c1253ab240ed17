/**
 * Looks every second whether files have changed, and says so once they have been left alone for a look: an editor, or a
 * copy, may write them one after the other.
 */

/** Cheap: a stat of each file. */
const LOOK_MS = 1000;
/** A project of more is not looked at whole. */
const MAX_FILES = 1000;

export interface FileWatchOptions {
  /** Those that are to be looked at, now. */
  readonly files: () => readonly string[];
  readonly onChange: () => void;
}

export class FileWatch {
  readonly #options: FileWatchOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #files = "";
  /** As they were when they were last told of, or first seen. */
  #known = "";
  #last = "";

  constructor(options: FileWatchOptions) {
    this.#options = options;
  }

  start(): void {
    void this.look();
    this.#timer = setInterval(() => void this.look(), LOOK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** One look; by itself every second after `start`. */
  async look(): Promise<void> {
    const files = this.#options.files().slice(0, MAX_FILES);
    const stamp = (await Promise.all(files.map(stampOf))).join("\n");
    const names = files.join("\n");
    if (names !== this.#files) {
      this.#files = names;
      this.#known = stamp;
    } else if (stamp !== this.#known && stamp === this.#last) {
      this.#known = stamp;
      this.#options.onChange();
    }
    this.#last = stamp;
  }
}

async function stampOf(file: string): Promise<string> {
  try {
    const { mtime, size, ino } = await Deno.stat(file);
    return `${mtime?.getTime()} ${size} ${ino}`;
  } catch {
    return "";
  }
}
