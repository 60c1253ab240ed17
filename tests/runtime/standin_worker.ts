/** A data worker without a data plane: the name of a snapshot's node says how it behaves. */
import { SERVER_COLUMN } from "../../mod/base/counters.ts";
import { openSharedMemory } from "../../mod/base/shared_memory.ts";
import { type DataplaneEnv, serveWorker, type WorkerScope } from "../../mod/runtime/worker_loop_io.ts";
import type { Snapshot } from "../../mod/config/snapshot.ts";

const HANG_MS = 8000;

class Standin {
  #env: DataplaneEnv;
  #written = 0;

  constructor(env: DataplaneEnv) {
    this.#env = env;
    const states = ["ffi", "run", "write"].map((name) =>
      `${name} ${Deno.permissions.querySync({ name } as Deno.PermissionDescriptor).state}`
    );
    this.#say(`worker ${env.worker} is here, ${states.join(", ")}`);
  }

  apply(snapshot: Snapshot): Promise<{ errors: string[] }> {
    const { worker } = this.#env;
    const behaviour = snapshot.node;
    const counts = behaviour === "count" || behaviour === "count or refuse" && worker === 0;
    if (counts) openSharedMemory(this.#env.memory, worker).counters.addServer(0, SERVER_COLUMN.requests, 1);
    if (behaviour.endsWith("refuse") && worker === 1) return Promise.resolve({ errors: ["cannot bind"] });
    if (behaviour === "always throw" && worker === 1) throw new Error("poison");
    if (behaviour === "hang" && worker === 1) hang();
    if (behaviour === "give up" && worker === 0) Deno.permissions.revokeSync({ name: "ffi" });
    if ((behaviour === "throw later" || behaviour === "give up") && worker === 0) {
      setTimeout(() => {
        throw new Error("a bug");
      }, 10);
    }
    if (behaviour === "reject later" && worker === 0) {
      setTimeout(() => Promise.reject(new Error("a bug")), 10);
    }
    if (behaviour === "tell keys") {
      const names = this.#env.ticketKeys.ring.map(({ name }) => name.toHex());
      this.#say(`worker ${worker} has ${names.join(" ")}`);
    }
    this.#say(`worker ${worker} applied ${snapshot.generation}`);
    return Promise.resolve({ errors: [] });
  }

  async drain(deadlineMs: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, deadlineMs));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  spansTaken(): void {}

  /** Worker 0 has one answer less than worker 1. */
  purge(): number {
    return this.#env.worker + 1;
  }

  logWritten(): void {
    this.#written++;
    if (this.#written === 2) this.#env.onError(new Error("two batches are written"));
  }

  #say(line: string): void {
    this.#env.log(new TextEncoder().encode(line + "\n"), 0);
  }
}

serveWorker(self as unknown as WorkerScope, (env) => new Standin(env));

/** Longer than a worker may be silent, but not for ever: nothing could end this thread. */
function hang(): void {
  const until = performance.now() + HANG_MS;
  while (performance.now() < until) Math.hypot(1, 2);
}
