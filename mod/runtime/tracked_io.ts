/**
 * What the election watches by running and reading: programs and files. Each is looked at again and again, a program
 * from start to start; whoever asks gets the last answer. It must not know what the answers are for.
 */
import { type ExecSpawn, runCommand } from "../health/exec_io.ts";
import type { TrackConfig } from "../config/vrrp_schema.ts";
import { sameSettings } from "./election.ts";

/** How often a file is looked at. */
const FILE_MS = 1000;
const MAX_REASON = 200;

export interface Answer {
  /** Null: not known yet. */
  readonly ok: boolean | null;
  readonly reason: string;
}

type Watchable = Extract<TrackConfig, { kind: "exec" | "file" }>;

interface Watch {
  readonly track: Watchable;
  readonly abort: AbortController;
  answer: Answer;
}

const UNKNOWN: Answer = { ok: null, reason: "not known yet" };

export class Tracked {
  readonly #spawn: ExecSpawn;
  readonly #onChange: () => void;
  #watches: Watch[] = [];

  constructor(spawn: ExecSpawn, onChange: () => void) {
    this.#spawn = spawn;
    this.#onChange = onChange;
  }

  /** Watches these and no others; what is watched already goes on undisturbed. */
  update(tracks: readonly TrackConfig[]): void {
    const wanted = tracks.filter((track) => track.kind === "exec" || track.kind === "file");
    const kept = this.#watches.filter(({ track }) => wanted.some((one) => sameSettings(one, track)));
    for (const watch of this.#watches) if (!kept.includes(watch)) watch.abort.abort();
    this.#watches = kept;
    for (const track of wanted) {
      if (this.#watches.some((watch) => sameSettings(watch.track, track))) continue;
      const watch: Watch = { track, abort: new AbortController(), answer: UNKNOWN };
      this.#watches.push(watch);
      void this.#run(watch);
    }
  }

  answer(track: TrackConfig): Answer {
    return this.#watches.find((watch) => sameSettings(watch.track, track))?.answer ?? UNKNOWN;
  }

  close(): void {
    this.update([]);
  }

  async #run(watch: Watch): Promise<void> {
    const { track, abort: { signal } } = watch;
    while (!signal.aborted) {
      const startedAt = performance.now();
      const answer = track.kind === "file" ? await readMark(track.name) : await this.#ask(track, signal);
      if (signal.aborted) return;
      const changed = answer.ok !== watch.answer.ok || answer.reason !== watch.answer.reason;
      watch.answer = answer;
      if (changed) this.#onChange();
      const everyMs = track.kind === "file" ? FILE_MS : track.intervalMs;
      await sleep(Math.max(0, everyMs - (performance.now() - startedAt)), signal);
    }
  }

  async #ask(track: Extract<Watchable, { kind: "exec" }>, signal: AbortSignal): Promise<Answer> {
    const { command, timeoutMs } = track;
    const { ok, reason } = await runCommand({ command, timeoutMs, env: {} }, this.#spawn, signal);
    return { ok, reason: ok ? "" : reason };
  }
}

/** Bad while the file exists and does not hold `0`. */
async function readMark(path: string): Promise<Answer> {
  try {
    const text = (await Deno.readTextFile(path)).trim();
    const [line = ""] = text.split("\n");
    const reason = line.slice(0, MAX_REASON).replace(/\p{Cc}/gu, "?");
    return text === "0" ? { ok: true, reason: "" } : { ok: false, reason: reason || "the file exists" };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { ok: true, reason: "" };
    return { ok: false, reason: `cannot be read: ${error instanceof Error ? error.message : error}` };
  }
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end, { once: true });
  });
}
