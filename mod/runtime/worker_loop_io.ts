/**
 * The loop of a data worker: messages in, one after the other, to the data plane, and its answers out; a beat in
 * shared memory all the time. It knows no sockets; an error that nobody catches ends the worker, and the control
 * thread starts another.
 */
import type { BreakerState } from "../base/breaker.ts";
import type { SharedMemory } from "../base/shared_memory.ts";
import type { Purge } from "../cache/store.ts";
import type { Snapshot } from "../config/snapshot.ts";
import type { TicketKeys } from "../net/ticket_keys.ts";
import type { TlsTrouble } from "../proxy/environment.ts";
import { PULSE_MS } from "./pulse.ts";
import type { Tables } from "./tables.ts";
import type { FromWorker, ToWorker } from "./worker_link.ts";

/** A server that fails every request would send a message with each. */
const TROUBLE_EVERY_MS = 1000;
/** Failed handshakes told between two beats: the log shows fewer still, and a flood of them must not cost us. */
const REFUSALS_A_PULSE = 10;
/** What takes longer to let go than this is left to the end of the process. */
const CLOSE_MS = 1000;

/** What a data plane is made with. */
export interface DataplaneEnv {
  readonly worker: number;
  readonly memory: SharedMemory;
  /** Of the tickets of TLS, the same in all workers. */
  readonly ticketKeys: TicketKeys;
  /**
   * Sends a batch of the access log, whose buffer is given away; `DataplanePort.logWritten` answers. `dropped` is
   * how many lines were lost since the start.
   */
  readonly log: (batch: Uint8Array<ArrayBuffer>, dropped: number) => void;
  /** The same for spans; `DataplanePort.spansTaken` answers. */
  readonly spans: (batch: Uint8Array<ArrayBuffer>, dropped: number) => void;
  /** Something went wrong that a person should know of, and that the data plane survives. */
  readonly onError: (error: unknown) => void;
  readonly onTlsFailure: (trouble: TlsTrouble) => void;
  /** The breaker of a pool has changed. */
  readonly onBreaker: (pool: string, state: BreakerState) => void;
  /** A client's TLS handshake failed. */
  readonly onRefused: (listener: string, client: string, reason: string) => void;
}

/** What the loop needs of a data plane. */
export interface DataplanePort {
  /** Puts a snapshot in force, with the memory that it needs. With errors nothing has changed. */
  apply(snapshot: Snapshot, tables: Tables): Promise<{ errors: string[] }>;
  /** Stops accepting; resolves when no connection is left, at the latest at the deadline. */
  drain(deadlineMs: number): Promise<void>;
  /** Forgets stored answers; answers how many. */
  purge(purge: Purge): number;
  /** The oldest batch not yet answered is written, or given up. */
  logWritten(): void;
  /** The same of a batch of spans. */
  spansTaken(): void;
  /**
   * Closes everything within the call, and resolves when what needs this thread for that is done with: what it has
   * opened would outlive this thread.
   */
  close(): Promise<void>;
}

/** The part of a worker's global scope that is used. */
export interface WorkerScope extends EventTarget {
  postMessage(message: FromWorker, transfer?: Transferable[]): void;
  close(): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
}

/** Serves the control thread's messages for ever. */
export function serveWorker(scope: WorkerScope, make: (env: DataplaneEnv) => DataplanePort): void {
  let dataplane: DataplanePort | null = null;
  let order: Promise<void> = Promise.resolve();
  let dying = false;
  let ticketKeys: TicketKeys;

  function init(message: Extract<ToWorker, { kind: "init" }>): void {
    const { worker, memory } = message;
    const beats = new Int32Array(message.pulse);
    let refusals = 0;
    const beat = () => {
      refusals = 0;
      Atomics.add(beats, worker, 1);
    };
    const told = new Map<number, number>();
    ticketKeys = { ring: message.ticketKeys };
    beat();
    setInterval(beat, PULSE_MS);
    dataplane = make({
      worker,
      memory,
      ticketKeys,
      log: (bytes, dropped) => scope.postMessage({ kind: "log", bytes, dropped }, [bytes.buffer]),
      spans: (bytes, dropped) => scope.postMessage({ kind: "spans", bytes, dropped }, [bytes.buffer]),
      onTlsFailure: (trouble) => {
        const now = performance.now();
        const last = told.get(trouble.slot);
        if (last !== undefined && now - last < TROUBLE_EVERY_MS) return;
        told.set(trouble.slot, now);
        scope.postMessage({ kind: "tlsFailure", trouble });
      },
      onBreaker: (pool, state) => scope.postMessage({ kind: "breaker", pool, state }),
      onError: (error) => scope.postMessage({ kind: "error", message: describe(error) }),
      onRefused: (listener, client, reason) => {
        if (refusals++ < REFUSALS_A_PULSE) scope.postMessage({ kind: "refused", listener, client, reason });
      },
    });
  }

  async function handle(
    message: Exclude<ToWorker, { kind: "logWritten" | "spansTaken" | "purge" }>,
  ): Promise<void> {
    if (message.kind === "init") return init(message);
    if (dataplane === null) throw new Error(`Cannot handle ${message.kind} before init`);
    if (message.kind === "ticketKeys") return void (ticketKeys.ring = message.ring);
    if (message.kind === "snapshot") {
      const { errors } = await dataplane.apply(message.snapshot, message.tables);
      return scope.postMessage({ kind: "applied", generation: message.snapshot.generation, errors });
    }
    await dataplane.drain(message.deadlineMs);
    scope.postMessage({ kind: "drained" });
  }

  function receive(message: ToWorker): void {
    if (dying) return;
    if (message.kind === "logWritten") dataplane?.logWritten();
    else if (message.kind === "spansTaken") dataplane?.spansTaken();
    else if (message.kind === "purge") {
      // Not in its turn: a worker that drains uses what is stored to the end.
      const count = dataplane?.purge(message.purge) ?? 0;
      scope.postMessage({ kind: "purged", id: message.id, count });
    } else order = order.then(() => handle(message));
  }

  // What nobody caught ends this worker, told by us: the runtime's own words would break up a log of JSON lines.
  // Told last, as the control thread then ends this one.
  const die = (event: Event, error: unknown) => {
    event.preventDefault();
    if (dying) return;
    dying = true;
    const end = () => {
      scope.postMessage({ kind: "fatal", reason: describe(error) });
      scope.close();
    };
    try {
      const closed = dataplane?.close();
      const late = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_MS));
      Promise.race([closed, late]).then(end, end);
    } catch {
      end();
    }
  };
  scope.addEventListener("error", (event) => die(event as Event, (event as ErrorEvent).error));
  scope.addEventListener(
    "unhandledrejection",
    (event) => die(event as Event, (event as PromiseRejectionEvent).reason),
  );
  scope.onmessage = ({ data }) => receive(data);
}

/** With the stack: these are errors of ours. */
function describe(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error);
}
