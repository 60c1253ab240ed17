/** A data worker that dies takes along what it opened. */
import type { FromWorker } from "../../mod/runtime/worker_link.ts";
import { assert } from "../assert.ts";
import { openFiles, until } from "../net/peer.ts";

const DEATHS = 3;

Deno.test("serveWorker() leaves no descriptor open when its worker dies", async () => {
  // What the process opens once for all its workers is no leak of one.
  await death();
  const before = openFiles();
  for (let i = 0; i < DEATHS; i++) await death();
  // The runtime of a thread closes its own a moment later.
  await until(() => openFiles() <= before);
});

/** Starts a worker, and waits until it has died of its bug. */
async function death(): Promise<void> {
  const worker = new Worker(new URL("./socket_worker.ts", import.meta.url), { type: "module" });
  const { promise, resolve } = Promise.withResolvers<FromWorker>();
  worker.onmessage = ({ data }) => resolve(data);
  const pulse = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  worker.postMessage({ kind: "init", worker: 0, memory: null, pulse });
  const message = await promise;
  assert(message.kind === "fatal" && message.reason.includes("a bug"), JSON.stringify(message));
  worker.terminate();
}
