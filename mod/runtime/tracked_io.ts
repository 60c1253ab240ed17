/**
 * What the election watches by running and reading: programs, files and processes. Each is looked at again and again, a
 * program from start to start; whoever asks gets the last answer. It must not know what the answers are for.
 */
import { type Libc, openLibc } from "../base/libc_io.ts";
import { reasonOf } from "../base/reason.ts";
import { type ExecSpawn, runCommand } from "../health/exec_io.ts";
import { RiseFall } from "../health/rise_fall.ts";
import type { TrackConfig } from "../config/track_schema.ts";
import { sameSettings } from "./election.ts";
import type { Answer } from "./election_facts.ts";
import { countProcesses } from "./processes_io.ts";

/** How often a file is looked at, and the processes. */
const LOOK_MS = 1000;
/** One look at the processes is for all that ask within this. */
const SAME_LOOK_MS = 500;
const MAX_REASON = 200;
/** A number of more characters is none. */
const NUMBER = /^[+-]?\d{1,9}$/;

type Watchable = Extract<TrackConfig, { kind: "exec" | "file" | "number" | "process" }>;

interface Watch {
  readonly track: Watchable;
  readonly abort: AbortController;
  answer: Answer;
  ended: Promise<void>;
}

/** An answer, for a keeper that takes over. */
export interface CarriedAnswer {
  readonly track: unknown;
  readonly answer: Answer;
}

const UNKNOWN: Answer = { ok: null, reason: "not known yet" };

export class Tracked {
  readonly #spawn: ExecSpawn;
  readonly #onChange: () => void;
  readonly #carried: readonly CarriedAnswer[];
  #watches: Watch[] = [];
  #libc: { readonly libc: Libc; close(): void } | null = null;
  #processes: { readonly at: number; readonly counts: ReadonlyMap<string, number> } | null = null;

  /** `carried`: what the keeper before knew, good until it is asked again. */
  constructor(spawn: ExecSpawn, onChange: () => void, carried: readonly CarriedAnswer[] = []) {
    this.#spawn = spawn;
    this.#onChange = onChange;
    this.#carried = carried;
  }

  carried(): CarriedAnswer[] {
    return this.#watches.map(({ track, answer }) => ({ track, answer }));
  }

  /** Watches these and no others; what is watched already goes on undisturbed. */
  update(tracks: readonly TrackConfig[]): void {
    const wanted = tracks.filter((track): track is Watchable =>
      track.kind === "exec" || track.kind === "file" || track.kind === "number" || track.kind === "process"
    );
    const kept = this.#watches.filter(({ track }) => wanted.some((one) => sameSettings(one, track)));
    for (const watch of this.#watches) if (!kept.includes(watch)) watch.abort.abort();
    this.#watches = kept;
    for (const track of wanted) {
      if (this.#watches.some((watch) => sameSettings(watch.track, track))) continue;
      const answer = this.#carried.find((one) => sameSettings(one.track, track))?.answer ?? UNKNOWN;
      const watch: Watch = { track, abort: new AbortController(), answer, ended: Promise.resolve() };
      this.#watches.push(watch);
      watch.ended = this.#run(watch);
    }
  }

  answer(track: TrackConfig): Answer {
    return this.#watches.find((watch) => sameSettings(watch.track, track))?.answer ?? UNKNOWN;
  }

  /** Resolves when the last program has ended. */
  async close(): Promise<void> {
    const all = this.#watches;
    this.update([]);
    await Promise.all(all.map(({ ended }) => ended));
    this.#libc?.close();
    this.#libc = null;
  }

  async #run(watch: Watch): Promise<void> {
    const { track, abort: { signal } } = watch;
    const counted = track.kind === "exec" || track.kind === "process";
    const riseFall = counted
      ? new RiseFall(track, "initial" in track ? startOf(track.initial) : "unknown")
      : null;
    if (watch.answer.ok !== null) riseFall?.resume(watch.answer.ok ? "up" : "down", watch.answer.reason);
    else if (riseFall?.state === "down") {
      watch.answer = { ok: false, reason: "not known yet, and bad until it is" };
    }
    while (!signal.aborted) {
      const startedAt = performance.now();
      const answer = smoothed(riseFall, watch.answer, await this.#look(track, signal));
      if (signal.aborted) return;
      const changed = !sameSettings(answer, watch.answer);
      watch.answer = answer;
      if (changed) this.#onChange();
      const everyMs = track.kind === "exec" ? track.intervalMs : LOOK_MS;
      await sleep(Math.max(0, everyMs - (performance.now() - startedAt)), signal);
    }
  }

  async #look(track: Watchable, signal: AbortSignal): Promise<Answer & { readonly ok: boolean }> {
    switch (track.kind) {
      case "file":
        return await readMark(track.name);
      case "number":
        return await readNumber(track.name);
      case "process":
        return this.#count(track);
      case "exec": {
        const { command, timeoutMs } = track;
        const { ok, reason } = await runCommand({ command, timeoutMs, env: {} }, this.#spawn, signal);
        return { ok, reason: ok ? "" : reason };
      }
    }
  }

  #count({ name, minRunning, maxRunning }: Extract<Watchable, { kind: "process" }>) {
    const now = performance.now();
    try {
      if (this.#processes === null || now - this.#processes.at > SAME_LOOK_MS) {
        this.#libc ??= openLibc();
        this.#processes = { at: now, counts: countProcesses(this.#libc.libc) };
      }
    } catch (error) {
      return { ok: false, reason: reasonOf(error) };
    }
    const running = this.#processes.counts.get(name) ?? 0;
    const ok = running >= minRunning && running <= (maxRunning ?? Infinity);
    const wanted = maxRunning === null ? `at least ${minRunning}` : `${minRunning} to ${maxRunning}`;
    return { ok, reason: ok ? "" : `${running} running, ${wanted} wanted` };
  }
}

/** The answer after so many in a row; its reason is that of the last one that was bad. */
function smoothed(riseFall: RiseFall | null, before: Answer, now: Answer & { readonly ok: boolean }): Answer {
  if (riseFall === null) return now;
  riseFall.handle(now);
  if (riseFall.state === "up") return { ok: true, reason: "" };
  return now.ok ? before : now;
}

function startOf(initial: "unknown" | "bad"): "unknown" | "down" {
  return initial === "bad" ? "down" : "unknown";
}

/** Bad while the file exists and does not hold `0`. */
async function readMark(path: string): Promise<Answer & { readonly ok: boolean }> {
  const { text, problem } = await readLine(path);
  if (problem !== "") return { ok: false, reason: problem };
  if (text === null || text === "0") return { ok: true, reason: "" };
  const [line = ""] = text.split("\n");
  return { ok: false, reason: printable(line) || "the file exists" };
}

/** 0 when there is no file, and when it cannot be understood. */
async function readNumber(path: string): Promise<Answer & { readonly ok: boolean }> {
  const { text, problem } = await readLine(path);
  if (problem !== "") return { ok: true, reason: problem, value: 0 };
  if (text === null) return { ok: true, reason: "", value: 0 };
  if (!NUMBER.test(text)) return { ok: true, reason: `holds no number: ${printable(text)}`, value: 0 };
  return { ok: true, reason: "", value: Number(text) };
}

/** The text of a file without the space around it; null: there is no file. */
async function readLine(path: string): Promise<{ text: string | null; problem: string }> {
  try {
    return { text: (await Deno.readTextFile(path)).trim(), problem: "" };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { text: null, problem: "" };
    return { text: null, problem: `cannot be read: ${reasonOf(error)}` };
  }
}

function printable(text: string): string {
  return text.slice(0, MAX_REASON).replace(/\p{Cc}/gu, "?");
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
