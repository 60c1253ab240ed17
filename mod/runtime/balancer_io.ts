/**
 * The balancer as a process: its end of the link, its heartbeat, its signals, its end.
 *
 * It first gives up what only the keeper may do (start processes, call libc, write files). What it balances and how
 * is the control thread's (`control_io.ts`). When its standard input ends, the keeper is dead: it stops accepting, drains
 * and exits. It must be started with the console already sent to standard error (`console_io.ts`).
 */
import { LIVE_CHANGES, type LiveChanges, NO_CHANGES } from "../config/live.ts";
import type { ProbeResult } from "../health/rise_fall.ts";
import type { Probe, ProbeTarget } from "../health/probe_io.ts";
import type { Log } from "../observe/log.ts";
import { exitLogged } from "../observe/log_io.ts";
import type { FunctionPlace } from "./function_places.ts";
import {
  type Decoded,
  POOLS_IN_MESSAGE,
  rejectedMessage,
  SERVERS_IN_MESSAGE,
  TO_BALANCER,
  type ToBalancer,
  type ToKeeper,
} from "./link.ts";
import { LinkWriter, readLink } from "./link_io.ts";
import { Assembler, cut } from "./parts.ts";
import { OF_BALANCER, type OfBalancer, type OfKeeper } from "./questions.ts";
import { after } from "./timer_io.ts";
import { HEARTBEAT_MS, MAX_BAD_LINES } from "./supervise.ts";
import { Talk } from "./talk.ts";

/** How often the keeper is told health and counters; it is also told health whenever a server's changes. */
const REPORT_MS = 1000;
/** A command may be a reload, with names to be looked up and listeners to be bound. */
const KEEPER_MS = 60_000;

export type Hello = Extract<ToBalancer, { kind: "hello" }>;

/** What the process needs of the control thread. */
export interface ControlPort {
  /**
   * Puts a configuration with what is changed live in force, or says why not; then what ran before runs on. In the order
   * of the calls.
   */
  configure(text: string, live: LiveChanges): Promise<{ readonly problems: readonly string[] }>;
  /** The same for other live changes of the text that runs. */
  change(live: LiveChanges): Promise<{ readonly problems: readonly string[] }>;
  /** Answers a question of the keeper. Throws with why it cannot. */
  answer(question: OfBalancer): unknown;
  /** What the balancer knew that is replaced; before the first configuration. */
  receive(text: string): void;
  /** What files held at the balancer before, "" if it is not known; before the first configuration. */
  receiveFiles(text: string): void;
  /** Where the processes of functions serve now. */
  place(places: readonly FunctionPlace[]): void;
  /** What one that takes over is to know. */
  carry(): string;
  /** Whether this node is the one that has certificates issued. */
  issue(on: boolean): void;
  /** Another node has given certificates. */
  arrived(): void;
  /** `replaced`: another one has the ports and the admin address. */
  drain(deadlineMs: number, replaced: boolean): Promise<void>;
  /** How long a drain may take when the keeper does not say it: as configured. */
  drainMs(): number;
  health(): { pool: string; healthy: number; servers: number }[];
  /** How servers are used that the kernel forwards to. */
  shares(): { pool: string; servers: { server: string; share: number; up: boolean }[] }[];
  counters(): Omit<Extract<ToKeeper, { kind: "counters" }>, "kind">;
}

/** What the control thread is given. */
export interface ControlEnv {
  readonly hello: Hello;
  /** Has the keeper run the command of the pool's exec check. */
  readonly execProbe: Probe;
  /** A server has changed: the keeper is told as soon as the pools show it. */
  readonly onHealth: () => void;
  /** Has the keeper keep a file of what was had by ACME; rejects with the reason. */
  readonly store: (file: string, text: string) => Promise<void>;
  /** Has the keeper keep what files hold for the next balancer. */
  readonly hold: (text: string) => void;
  /** Asks the keeper. Rejects when it does not answer. */
  readonly askKeeper: (question: OfKeeper) => Promise<unknown>;
}

/** Runs the balancer; ends by exiting. */
export async function runBalancer(options: {
  readonly log: Log;
  readonly makeControl: (env: ControlEnv) => ControlPort;
}): Promise<never> {
  for (const name of ["run", "write"] as const) await Deno.permissions.revoke({ name });
  const balancer = new Balancer(options);
  Deno.addSignalListener("SIGTERM", () => balancer.drain(null, "SIGTERM"));
  // A terminal sends these to the keeper too, which decides.
  Deno.addSignalListener("SIGINT", () => {});
  Deno.addSignalListener("SIGHUP", () => {});
  await readLink(Deno.stdin.readable, TO_BALANCER, (decoded) => balancer.onDecoded(decoded));
  return await balancer.drain(null, "the keeper is gone");
}

class Balancer {
  #log: Log;
  #makeControl: (env: ControlEnv) => ControlPort;
  #control: ControlPort | null = null;
  #link = new LinkWriter<ToKeeper>(Deno.stdout.writable);
  #configs = new Assembler();
  #lives = new Assembler();
  /** What is changed live in the configuration that comes next. */
  #live: LiveChanges = NO_CHANGES;
  #talk = new Talk({
    send: (message) => this.#link.send(message),
    answer: (question) => this.#answer(question),
    after,
  });
  #carried = new Assembler();
  #files = new Assembler();
  /** What the keeper holds. */
  #held = "";
  #probes = new Map<number, (result: ProbeResult) => void>();
  #stores = new Map<number, (problem: string) => void>();
  /** Of probes and stores. */
  #nextId = 0;
  #badLines = 0;
  #draining: Promise<never> | null = null;
  #healthIsDue = false;

  constructor({ log, makeControl }: { log: Log; makeControl: (env: ControlEnv) => ControlPort }) {
    this.#log = log;
    this.#makeControl = makeControl;
    this.#beat();
    setInterval(() => this.#report(), REPORT_MS);
  }

  onDecoded(decoded: Decoded<ToBalancer>): void {
    if (decoded.kind === "malformed") return this.#onBadLine(decoded.reason);
    const { message } = decoded;
    switch (message.kind) {
      case "hello":
        this.#control ??= this.#makeControl({
          hello: message,
          execProbe: (target, signal) => this.#execProbe(target, signal),
          onHealth: () => this.#reportHealthSoon(),
          store: (file, text) => this.#store(file, text),
          hold: (text) => this.#hold(text),
          askKeeper: (question) => this.#talk.ask(question, KEEPER_MS),
        });
        return;
      case "config":
        this.#onPart(message);
        return;
      case "live":
      case "change":
        void this.#onLive(message);
        return;
      case "ask":
      case "answer":
        return this.#talk.onMessage(message);
      case "carried":
        this.#onCarried(message);
        return;
      case "files":
        this.#onFiles(message);
        return;
      case "functions":
        return this.#control?.place(message.places);
      case "carry":
        for (const part of cut("state of the balancer", this.#control?.carry() ?? "{}")) {
          this.#link.send({ kind: "carried", ...part });
        }
        return;
      case "drain": {
        const replaced = message.replaced === true;
        this.drain(
          message.deadlineMs,
          replaced ? "another one has taken over" : "the keeper's word",
          replaced,
        );
        return;
      }
      case "probeResult":
        return this.#probes.get(message.id)?.(message);
      case "issue":
        return this.#control?.issue(message.on);
      case "arrived":
        return this.#control?.arrived();
      case "stored":
        return this.#stores.get(message.id)?.(message.problem);
    }
  }

  /** Finishes what is under way within a time (null: as configured), and exits. Only the first call counts. */
  drain(withinMs: number | null, reason: string, replaced = false): Promise<never> {
    this.#draining ??= (async () => {
      const deadlineMs = withinMs ?? this.#control?.drainMs() ?? 0;
      this.#log.info("draining", { deadlineMs, reason });
      await this.#control?.drain(deadlineMs, replaced);
      this.#log.info("drained");
      return await exitLogged(0);
    })();
    return this.#draining;
  }

  #onBadLine(reason: string): void {
    this.#badLines++;
    this.#log.error("the keeper sent a line that is no message", { reason });
    if (this.#badLines >= MAX_BAD_LINES) void exitLogged(1);
  }

  async #onPart(part: Extract<ToBalancer, { kind: "config" }>): Promise<void> {
    const { generation } = part;
    const whole = this.#configs.add(generation, part);
    if (whole === null) return;
    if ("reason" in whole) return this.#onBadLine(whole.reason);
    if (this.#control === null) return this.#onBadLine("a configuration came before the hello");
    const live = this.#live;
    this.#live = NO_CHANGES;
    this.#answerOffer(generation, await this.#control.configure(whole.text, live));
  }

  async #onLive(part: Extract<ToBalancer, { kind: "live" | "change" }>): Promise<void> {
    const { generation, kind } = part;
    const whole = this.#lives.add(generation, part);
    if (whole === null) return;
    if ("reason" in whole) return this.#onBadLine(whole.reason);
    const live = readLive(whole.text);
    if (live === null) return this.#onBadLine("what is changed live is not understood");
    if (kind === "live") this.#live = live;
    else if (this.#control === null) this.#onBadLine("a change came before the hello");
    else this.#answerOffer(generation, await this.#control.change(live));
  }

  #answerOffer(generation: number, { problems }: { readonly problems: readonly string[] }): void {
    if (problems.length > 0) return this.#link.send(rejectedMessage(generation, problems));
    // Before the keeper forwards to servers that are new, it knows how they are.
    this.#reportShares();
    this.#link.send({ kind: "ready", generation });
    // An election waits for it.
    this.#reportHealth();
  }

  #onCarried(part: Extract<ToBalancer, { kind: "carried" }>): void {
    const whole = this.#carried.add("state", part);
    if (whole === null) return;
    if ("reason" in whole) return this.#onBadLine(whole.reason);
    this.#control?.receive(whole.text);
  }

  #onFiles(part: Extract<ToBalancer, { kind: "files" }>): void {
    const whole = this.#files.add("files", part);
    if (whole === null) return;
    if ("reason" in whole) return this.#onBadLine(whole.reason);
    this.#held = whole.text;
    this.#control?.receiveFiles(whole.text);
  }

  #hold(text: string): void {
    if (text === this.#held) return;
    this.#held = text;
    for (const part of cut("files", text)) this.#link.send({ kind: "files", ...part });
  }

  // deno-lint-ignore require-await -- what is thrown is the answer
  async #answer(question: unknown): Promise<unknown> {
    const asked = OF_BALANCER.parse(question);
    if (this.#control === null) throw new Error("the balancer is starting");
    return this.#control.answer(asked);
  }

  /** A timer's lateness is the time for which this thread did nothing else. */
  #beat(): void {
    let sequence = 0;
    let last = performance.now();
    const beat = () => {
      const now = performance.now();
      const lagMs = Math.max(0, Math.round(now - last - HEARTBEAT_MS));
      last = now;
      this.#link.sendLossy({ kind: "heartbeat", sequence: sequence++, lagMs });
    };
    setInterval(beat, HEARTBEAT_MS);
    this.#link.send({ kind: "heartbeat", sequence: sequence++, lagMs: 0 });
  }

  #report(): void {
    if (this.#control === null) return;
    this.#reportHealth();
    this.#link.sendLossy({ kind: "counters", ...this.#control.counters() });
  }

  #reportHealth(): void {
    const pools = this.#control?.health() ?? [];
    // Also when there are none: that is known then.
    for (let at = 0; at === 0 || at < pools.length; at += POOLS_IN_MESSAGE) {
      this.#link.sendLossy({ kind: "health", pools: pools.slice(at, at + POOLS_IN_MESSAGE) });
    }
    this.#reportShares();
  }

  #reportShares(): void {
    for (const { pool, servers } of this.#control?.shares() ?? []) {
      for (let at = 0; at < servers.length; at += SERVERS_IN_MESSAGE) {
        const some = servers.slice(at, at + SERVERS_IN_MESSAGE);
        this.#link.sendLossy({ kind: "servers", pool, servers: some });
      }
    }
  }

  /** Once for all that changes in this turn: a node may have to give its addresses away, and every moment counts. */
  #reportHealthSoon(): void {
    if (this.#healthIsDue) return;
    this.#healthIsDue = true;
    setTimeout(() => {
      this.#healthIsDue = false;
      this.#reportHealth();
    }, 0);
  }

  async #store(file: string, text: string): Promise<void> {
    const id = this.#nextId++;
    const { promise, resolve } = Promise.withResolvers<string>();
    this.#stores.set(id, resolve);
    this.#link.send({ kind: "store", id, file, text });
    const problem = await promise;
    this.#stores.delete(id);
    if (problem !== "") throw new Error(problem);
  }

  async #execProbe(target: ProbeTarget, signal: AbortSignal): Promise<ProbeResult> {
    const id = this.#nextId++;
    const { promise, resolve } = Promise.withResolvers<ProbeResult>();
    const abort = () => resolve({ ok: false, reason: "the probe was cancelled", latencyMs: 0 });
    signal.addEventListener("abort", abort, { once: true });
    this.#probes.set(id, resolve);
    const { pool, server, host, port } = target;
    this.#link.send({ kind: "probe", id, pool, server, host, port });
    try {
      return await promise;
    } finally {
      this.#probes.delete(id);
      signal.removeEventListener("abort", abort);
    }
  }
}

/** Null: it is no JSON, or of no shape that is known here. */
function readLive(text: string): LiveChanges | null {
  try {
    return LIVE_CHANGES.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
