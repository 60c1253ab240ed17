/** A thread that puts the sessions of many keys on a server of its own, each at the moment when all others do. */
import { StickCounts, type StickMemory, StickTable } from "../../mod/balance/stick_table.ts";

export interface StickJob {
  readonly memory: StickMemory;
  readonly worker: number;
  readonly keys: number;
  /** A word a key, at which threads wait until all are there. */
  readonly gates: SharedArrayBuffer;
  readonly workers: number;
}

const FOREVER_MS = 1e12;

/** Where it found the session of each key: on the server with the number of the thread that was first. */
function run({ memory, worker, keys, gates, workers }: StickJob): number[] {
  const table = new StickTable(memory, worker, FOREVER_MS, new StickCounts(memory, worker));
  const words = new Int32Array(gates);
  return Array.from({ length: keys }, (_, n) => {
    const key = table.key(Uint8Array.of(n & 255, n >> 8), 2, "text");
    const seen = table.find(key, 1);
    Atomics.add(words, n, 1);
    for (let there = 0; (there = Atomics.load(words, n)) < workers;) Atomics.wait(words, n, there);
    Atomics.notify(words, n);
    return table.claim(key, seen, worker + 1, 1);
  });
}

const scope = self as unknown as Worker;
scope.onmessage = ({ data }: MessageEvent<StickJob>) => scope.postMessage(run(data));
