/**
 * The life of the balancer as the keeper sees it: started, heard of, restarted with back-off, killed when it hangs,
 * drained at the end.
 *
 * A machine: inputs and `now` in, actions out, one deadline. What a state does with an input is one entry of a
 * table, and an input that a state does not know is an error. It knows no process and no timer.
 */
import { Backoff } from "./backoff.ts";

/** How often the balancer sends a heartbeat. */
export const HEARTBEAT_MS = 200;
/** Fifteen heartbeats missed: a balancer that has been silent for this long hangs. */
export const HUNG_MS = 3000;
/** From the start to the first heartbeat: code is loaded, perhaps compiled, on a busy machine. */
export const STARTUP_MS = 15_000;
/** Lines that are no messages, in one life of a balancer, before it is taken for broken. */
export const MAX_BAD_LINES = 5;
/** Deaths before the first `ready` of all, after which the keeper gives up: the installation is broken. */
export const GIVE_UP_DEATHS = 5;
/** After the drain's deadline the balancer has this long to end by itself. */
export const DRAIN_GRACE_MS = 2000;
/** `deno task` passes on the signal of a terminal that its child has got already: two so close are one. */
export const SAME_STOP_MS = 500;
/** A tick that comes this much too late means that the keeper itself stood still, and proves nothing. */
const LATE_MS = 500;

export type State = "idle" | "starting" | "running" | "killing" | "waiting" | "draining" | "stopped";

export type Input =
  | { readonly kind: "start" }
  | { readonly kind: "heartbeat" }
  /** A configuration is in force: every worker listens. */
  | { readonly kind: "ready" }
  /** A configuration was refused. */
  | { readonly kind: "rejected" }
  | { readonly kind: "badLine" }
  | { readonly kind: "exited"; readonly reason: string; readonly code: number }
  /** SIGTERM or SIGINT; a second one, later than `SAME_STOP_MS`, does not wait. */
  | { readonly kind: "stop" }
  | { readonly kind: "tick" };

export type Action =
  | { readonly kind: "spawn" }
  | { readonly kind: "kill" }
  | { readonly kind: "drain"; readonly deadlineMs: number }
  | { readonly kind: "exit"; readonly code: number }
  | { readonly kind: "log"; readonly level: "info" | "warning" | "error"; readonly message: string };

type Handler = (self: Supervisor, input: Input, now: number) => Action[];

export class Supervisor {
  state: State = "idle";
  /** Starts after the first. */
  restarts = 0;
  /** Why the last balancer ended; null: none has. */
  lastDeath: string | null = null;
  /** How long a drain may take; the configuration in force says it. */
  drainMs: number;
  readonly backoff = new Backoff();
  /** When the present state becomes overdue; null: never. */
  dueAt: number | null = null;
  everReady = false;
  deaths = 0;
  badLines = 0;
  /** This balancer has sent a heartbeat. */
  heard = false;
  exitCode = 0;
  stoppedAt = -Infinity;
  /** Why the balancer is being killed. */
  killReason = "";

  constructor(options: { readonly drainMs: number }) {
    this.drainMs = options.drainMs;
  }

  /** Takes one input and returns what is to be done, in order. */
  handle(input: Input, now: number): Action[] {
    const handler = TABLE[this.state][input.kind];
    if (handler === undefined) throw new Error(`Cannot handle ${input.kind} while ${this.state}`);
    return handler(this, input, now);
  }

  /** When a `tick` is wanted, or null. A tick that comes too early or too often is harmless. */
  deadline(): number | null {
    return this.dueAt;
  }
}

function log(level: "info" | "warning" | "error", message: string): Action {
  return { kind: "log", level, message };
}

const ignore: Handler = () => [];

const spawn: Handler = (self, _input, now) => {
  if (self.state === "waiting") {
    if (self.dueAt === null || now < self.dueAt) return [];
    self.restarts++;
  }
  self.state = "starting";
  self.badLines = 0;
  self.heard = false;
  self.dueAt = now + STARTUP_MS;
  self.backoff.started(now);
  return [{ kind: "spawn" }];
};

const beat: Handler = (self, _input, now) => {
  self.heard = true;
  self.dueAt = now + HUNG_MS;
  return [];
};

const ready: Handler = (self, _input, now) => {
  self.heard = true;
  self.state = "running";
  self.everReady = true;
  self.dueAt = now + HUNG_MS;
  return [];
};

const rejected: Handler = (self, _input, now) => {
  // A restarted balancer may find its address taken for a while: it must not end the keeper.
  if (self.everReady) return kill(self, "it refused the configuration that ran before");
  self.exitCode = 1;
  return [log("error", "the first configuration cannot run, so this ends"), ...drain(self, now, 0)];
};

const badLine: Handler = (self) => {
  self.badLines++;
  if (self.badLines < MAX_BAD_LINES) return [];
  return kill(self, `it sent ${self.badLines} lines that are no messages`);
};

const overdue: Handler = (self, _input, now) => {
  if (self.dueAt === null || now < self.dueAt) return [];
  const lateMs = Math.round(now - self.dueAt);
  if (lateMs > LATE_MS) {
    self.dueAt = now + HUNG_MS;
    return [log("warning", `the keeper itself stood still for ${lateMs} ms and more`)];
  }
  return kill(self, self.heard ? `it hung: no heartbeat for ${HUNG_MS} ms` : `it gave no sign of life`);
};

function kill(self: Supervisor, reason: string): Action[] {
  self.state = "killing";
  self.killReason = reason;
  self.dueAt = null;
  return [log("error", `killing the balancer as ${reason}`), { kind: "kill" }];
}

const died: Handler = (self, input, now) => {
  if (input.kind !== "exited") return [];
  const reason = self.state === "killing" ? `killed as ${self.killReason}` : input.reason;
  self.lastDeath = reason;
  self.deaths++;
  if (!self.everReady && self.deaths >= GIVE_UP_DEATHS) {
    self.state = "stopped";
    self.dueAt = null;
    return [
      log("error", `the balancer ended ${self.deaths} times and was never ready (${reason}): giving up`),
      { kind: "exit", code: 1 },
    ];
  }
  const waitMs = self.backoff.died(now);
  self.state = "waiting";
  self.dueAt = now + waitMs;
  return [log("error", `the balancer ended (${reason}); starting another in ${waitMs} ms`)];
};

function drain(self: Supervisor, now: number, deadlineMs: number): Action[] {
  self.state = "draining";
  self.dueAt = now + deadlineMs + DRAIN_GRACE_MS;
  return [{ kind: "drain", deadlineMs }];
}

const stop: Handler = (self, _input, now) => {
  self.stoppedAt = now;
  return [
    log("info", `draining for up to ${self.drainMs} ms; a second signal ends at once`),
    ...drain(self, now, self.drainMs),
  ];
};

const stopWhileDead: Handler = (self) => {
  self.state = "stopped";
  self.dueAt = null;
  return [{ kind: "exit", code: self.exitCode }];
};

const stopNow: Handler = (self, _input, now) => {
  if (now - self.stoppedAt < SAME_STOP_MS) return [];
  self.state = "stopped";
  self.dueAt = null;
  return [log("warning", "ending at once"), { kind: "kill" }, { kind: "exit", code: self.exitCode }];
};

const drained: Handler = (self, input) => {
  if (input.kind !== "exited") return [];
  self.state = "stopped";
  self.dueAt = null;
  if (input.code === 0) return [{ kind: "exit", code: self.exitCode }];
  return [
    log("error", `the balancer did not drain to its end: ${input.reason}`),
    { kind: "exit", code: 1 },
  ];
};

const drainOverdue: Handler = (self, _input, now) => {
  if (self.dueAt === null || now < self.dueAt) return [];
  self.dueAt = null;
  return [log("error", "killing the balancer as it did not end after its drain"), { kind: "kill" }];
};

/** What each state does with each input. What is missing cannot happen. */
export const TABLE: Readonly<Record<State, Partial<Record<Input["kind"], Handler>>>> = {
  idle: { start: spawn, stop: stopWhileDead, tick: ignore },
  starting: { heartbeat: beat, ready, rejected, badLine, exited: died, stop, tick: overdue },
  running: { heartbeat: beat, ready: beat, rejected: beat, badLine, exited: died, stop, tick: overdue },
  killing: {
    heartbeat: ignore,
    ready: ignore,
    rejected: ignore,
    badLine: ignore,
    exited: died,
    stop: stopNow,
    tick: ignore,
  },
  waiting: { stop: stopWhileDead, tick: spawn },
  draining: {
    heartbeat: ignore,
    ready: ignore,
    rejected: ignore,
    badLine: ignore,
    exited: drained,
    stop: stopNow,
    tick: drainOverdue,
  },
  stopped: {
    heartbeat: ignore,
    ready: ignore,
    rejected: ignore,
    badLine: ignore,
    exited: ignore,
    stop: ignore,
    tick: ignore,
  },
};
