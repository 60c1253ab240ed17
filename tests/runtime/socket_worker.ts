/** A data worker that has nothing but sockets, and dies of a bug while it waits for them. */
import { BufferPool } from "../../mod/net/buffers.ts";
import { makeEngine } from "../../mod/net/engine_io.ts";
import { serveWorker, type WorkerScope } from "../../mod/runtime/worker_loop_io.ts";

/** By then nothing has come for so long that it waits on a thread of the pool. */
const QUIET_MS = 50;

serveWorker(self as unknown as WorkerScope, ({ worker, onError }) => {
  const engine = makeEngine({ buffers: new BufferPool(), tick() {}, onBug: onError }, worker);
  const listener = engine.listen("127.0.0.1", 0);
  listener.accept({ mayAccept: () => true, onAccept: (stream) => stream.close(), onAcceptError: onError });
  setTimeout(() => {
    throw new Error("a bug");
  }, QUIET_MS);
  return {
    apply: () => Promise.resolve({ errors: [] }),
    drain: () => Promise.resolve(),
    spansTaken() {},
    purge: () => 0,
    logWritten() {},
    close() {
      listener.close();
      return engine.stop();
    },
  };
});
