/**
 * The keeper: the small, privileged process that is the parent of the balancer and answers on the admin socket.
 *
 * It decides nothing about the balancer itself (`supervise.ts` does), nor about configurations (`configurations_io.ts`); it
 * carries out actions and hands on what happens. It holds the election (`election_io.ts`), and carries no traffic, reads the configuration itself, and takes from the balancer
 * only facts and requests. What a configuration means is told to it by an injected `check`.
 */
import { reasonOf } from "../base/reason.ts";
import { NO_CHANGES } from "../config/live.ts";
import { noPlan } from "../kernel/plan.ts";
import { electionMetrics } from "../observe/election_status.ts";
import { kernelMetrics } from "../observe/kernel_status.ts";
import type { KeeperStatus } from "../observe/keeper_status.ts";
import type { Log } from "../observe/log.ts";
import { type ElectionSettings, programsOf } from "./election.ts";
import { BalancerChild } from "./balancer_child_io.ts";
import { Configurations, readChecked } from "./configurations_io.ts";
import { balancerFacts, balancerStatus } from "./balancer_facts.ts";
import { Election } from "./election_io.ts";
import { ExecProbes, type ProbeAnswer } from "./exec_probes_io.ts";
import { HadFiles } from "./had_files_io.ts";
import type { AdminApp } from "./admin_server_io.ts";
import { KeeperDesk } from "./desk_keeper_io.ts";
import { Functions } from "./functions_io.ts";
import { Heard } from "./heard.ts";
import { HeldText } from "./held_text.ts";
import { Holdings } from "./holdings_io.ts";
import type { Decoded, ToKeeper } from "./link.ts";
import type { KeeperFacts } from "./keeper_facts.ts";
import type { KeeperOptions } from "./keeper_options_io.ts";
import { answerRequest } from "./keeper_requests_io.ts";
import { KernelPlane } from "./kernel_plane_io.ts";
import { PairNodes } from "./pair_nodes_io.ts";
import { Programs, rightsOfChildren } from "./programs_io.ts";
import { Succession } from "./succession_io.ts";
import { StoredFiles } from "./stored_files_io.ts";
import { type Action, HEARTBEAT_MS, type Input, SAME_STOP_MS, Supervisor } from "./supervise.ts";
import type { Successor } from "./upgrade_io.ts";
import { Upgrader } from "./upgrader_io.ts";

const NO_ELECTION: ElectionSettings = { instances: [], startupDelayMs: 0, configHash: 0n };
/** Heartbeats missed after which the service manager is no longer told that all is well. */
const WELL_MS = 5 * HEARTBEAT_MS;
/** What the end of a node may take besides its drain. */
const LEAVE_GRACE_MS = 10_000;

/** Runs a node until it is told to stop. The answer is the exit code. */
export async function runKeeper(options: KeeperOptions): Promise<number> {
  const { log, predecessor = null } = options;
  const live = predecessor === null ? NO_CHANGES : await predecessor.live().catch(() => NO_CHANGES);
  const { text, checked } = await readChecked(options, live);
  if ("problems" in checked) {
    for (const problem of checked.problems) log.error(problem);
    await predecessor?.failed(checked.problems);
    return 1;
  }
  checked.setUpLog?.();
  const keeper = new Keeper(options, text, checked);
  const problem = predecessor === null ? await keeper.open() : null;
  if (problem !== null) {
    log.error(problem);
    return 1;
  }
  const note = rightsOfChildren();
  if (note !== null) log[note.level](note.message);
  return await keeper.run(checked);
}

class Keeper {
  #options: KeeperOptions;
  #log: Log;
  #supervisor: Supervisor;
  readonly #configurations: Configurations;
  readonly #programs: Programs;
  #child: BalancerChild | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #startedAt = performance.now();
  #exited = Promise.withResolvers<number>();
  readonly #probes = new ExecProbes({
    pending: () => this.#configurations.pending,
    checkOf: (pool) => this.#configurations.facts?.exec.get(pool),
    spawn: (path, args, env) => this.#programs.spawnScript(path, args, env),
  });
  readonly #desk: KeeperDesk;
  #badLines = 0;
  readonly #heard = new Heard();
  readonly #held = new HeldText();
  readonly #had: HadFiles;
  readonly #pair: PairNodes;
  #adminUrl: string | null;
  readonly #kernel: KernelPlane;
  readonly #functions: Functions;
  readonly #holdings: Holdings;
  readonly #succession: Succession;
  readonly #upgrader: Upgrader;
  readonly #api: AdminApp;
  #leaving: "no" | "handing over" | "draining" = "no";
  #leavingSince = 0;

  constructor(options: KeeperOptions, text: string, facts: KeeperFacts) {
    const { socketPath, drainMs, adminUrl } = facts;
    this.#options = options;
    const election = () => this.#succession.pending ? [] : this.#election.status().instances;
    this.#configurations = new Configurations({
      ...{ read: options.read, check: options.check, plan: options.plan, log: options.log },
      election,
      prepare: (facts) => this.#functions.prepare(facts),
      onBadFiles: (files) => this.#functions.refused(files),
      offer: (offer) => this.#child?.configure(offer),
      change: (offer) => this.#child?.change(offer),
      obstacle: () => this.#whyNoChange(),
      handOn: () => this.#handReloadOn(),
      onChange: () => this.#tellService(),
    }, { text, facts });
    this.#desk = new KeeperDesk({
      configurations: this.#configurations,
      move: (instance) => this.#election.move(instance),
      maintain: (on) => this.#election.maintain(on),
      order: (order) => this.#had.perform(order),
      nodes: () => this.#pair.nodes(),
      askNode: (name, request) => this.#pair.ask(name, request),
      status: () => this.status(),
      balancerState: () => this.#supervisor.state,
    });
    this.#adminUrl = adminUrl ?? null;
    this.#log = options.log;
    this.#programs = new Programs(options.log);
    this.#supervisor = new Supervisor({ drainMs });
    const { node, version, log } = options;
    this.#succession = new Succession({
      predecessor: options.predecessor ?? null,
      broken: () => this.#functions.broken(),
      take: (document) => this.#holdings.take(document),
      onTaken: () => {
        this.#holdings.beHeard();
        log.info("taken over from the program before");
        this.#tellService();
      },
      onFailed: () => this.#exited.resolve(1),
      log,
    });
    const files = new StoredFiles();
    this.#pair = new PairNodes({
      ...{ node, version, election, files, log },
      api: () => this.#api,
      onReceived: () => this.#child?.send({ kind: "arrived" }),
    });
    this.#had = new HadFiles({
      send: (message) => this.#child?.send(message),
      ...{ election, files, pair: this.#pair },
    });
    this.#kernel = new KernelPlane(noPlan(node), {
      spawn: (command, options) => this.#programs.spawnTool(command, options),
      log,
      onChange: () => this.#election.evaluate(),
    });
    this.#functions = new Functions({
      start: (settings) => this.#programs.startFunction(options.functionProgram(settings.net), settings),
      onChange: () => this.#child?.send({ kind: "functions", places: this.#functions.places() }),
      onFiles: () => {
        if (this.#whyNoChange() !== null) return false;
        void this.#configurations.refresh();
        return true;
      },
      log,
    });
    this.#holdings = new Holdings({
      socketPath,
      kernel: this.#kernel,
      answer: (request, from) => {
        const { pathname } = new URL(request.url);
        if (pathname.startsWith("/api/")) return this.#api.fetch(request, from);
        return answerRequest(this, request, from.peer ?? "the admin socket");
      },
      makeElection: (sysctls, carried) =>
        new Election({
          ...{ node, version, log },
          spawn: (path, args, env) => this.#programs.spawnScript(path, args, env),
          balancer: () => balancerFacts(this.#supervisor, this.#heard, this.#child !== null),
          kernel: () => this.#kernel.facts(),
          onLink: () => this.#kernel.onLink(),
          setSysctl: (name, value) => sysctls.set(name, value),
          ...carried === undefined ? {} : { carried },
        }),
      service: options.service ?? null,
      log,
    });
    this.#api = options.makeApi(this.#desk);
    this.#upgrader = new Upgrader({
      program: options.successor ?? null,
      holdings: this.#holdings,
      start: (program) => this.#programs.startKeeper(program),
      live: () => this.#configurations.live,
      serves: (name) => this.#functions.serves(name),
      ask: () => this.#child?.send({ kind: "carry" }),
      obstacle: () => this.#whyNoUpgrade(),
      onReplaced: (successor) => this.#onReplaced(successor),
      log,
    });
  }

  get #election(): Election {
    return this.#holdings.election;
  }

  /** Takes the node, or says who has it. */
  readonly open = (): Promise<string | null> => this.#holdings.open();

  async run(facts: KeeperFacts): Promise<number> {
    const stop = () => void this.#stop();
    const signals: [Deno.Signal, () => void][] = [
      ["SIGTERM", stop],
      ["SIGINT", stop],
      ["SIGHUP", () => void this.reload()],
      ["SIGUSR2", () => void this.upgrade()],
    ];
    this.#adopt(facts);
    for (const [signal, heed] of signals) Deno.addSignalListener(signal, heed);
    try {
      await this.#functions.first(this.#succession.pending);
      await this.#succession.prepare();
      // It may have been told to stop meanwhile.
      if (this.#supervisor.state === "idle") this.#input({ kind: "start" });
      return await this.#exited.promise;
    } catch (error) {
      this.#log.error(reasonOf(error));
      return 1;
    } finally {
      for (const [signal, heed] of signals) Deno.removeSignalListener(signal, heed);
      clearTimeout(this.#timer);
      this.#probes.close();
      this.#pair.close();
      await this.#holdings.close();
      await this.#functions.close();
    }
  }

  /** First the addresses move, then the balancer drains; a second signal does not wait for the first of both. */
  async #stop(): Promise<void> {
    const now = performance.now();
    if (this.#upgrader.underWay) return this.#upgrader.giveUp(() => void this.#stop());
    if (this.#leaving === "no") {
      this.#leaving = "handing over";
      this.#leavingSince = now;
      this.#tellService();
      await this.#election.stop();
      this.#leaving = "draining";
    } else if (this.#leaving === "handing over") {
      if (now - this.#leavingSince >= SAME_STOP_MS) this.#election.hurry();
      return;
    }
    this.#input({ kind: "stop" });
  }

  /** Reads the file again; a bad one changes nothing. What is wrong with it, or nothing. */
  reload(): Promise<{ readonly problems: readonly string[] }> {
    return this.#configurations.reload();
  }

  /** Asked for during an upgrade, it is the other's affair. */
  #handReloadOn(): string | null {
    const { successor } = this.#upgrader;
    successor?.signal("SIGHUP");
    return successor === null ? null : "another program has taken over, and is told to reload";
  }

  /** Has the program that is installed now take over. A reload waits for it, and it for one. */
  upgrade(): Promise<{ readonly pid: number; readonly version: string } | { readonly problem: string }> {
    return this.#configurations.between((before) => this.#upgrader.upgrade(before));
  }

  #whyNoChange(): string | null {
    if (this.#upgrader.underWay) return "an upgrade is under way";
    if (this.#upgrader.successor !== null) return "another program has taken over: ask again";
    return this.#whyNoUpgrade();
  }

  #whyNoUpgrade(): string | null {
    const { state } = this.#supervisor;
    if (this.#leaving !== "no") return "the node is stopping";
    if (this.#succession.pending) return "an upgrade is under way";
    return state === "running" ? null : `the balancer is ${state}`;
  }

  /** Another keeper has the node: what is left is to let the balancer finish. */
  #onReplaced(successor: Successor): void {
    this.#leaving = "draining";
    this.#pair.close();
    this.#input({ kind: "stop" });
    void successor.ended.then(({ success }) => {
      if (success) return;
      this.#log.error(
        "the new program has ended: this one ends at once, so that the node can be started anew",
      );
      this.#exited.resolve(1);
    });
  }

  async metrics(): Promise<string> {
    return electionMetrics(this.#election.status()) + kernelMetrics(await this.#kernel.status());
  }

  async status(): Promise<KeeperStatus> {
    const { node, version, file } = this.#options;
    return {
      pid: Deno.pid,
      node,
      version,
      file,
      uptimeMs: Math.round(performance.now() - this.#startedAt),
      generation: this.#configurations.generation,
      reloading: this.#configurations.pending,
      refused: this.#configurations.refused,
      drift: this.#configurations.facts?.drift ?? [],
      logLevel: this.#configurations.facts?.logLevel ?? "info",
      upgrading: this.#upgrader.underWay,
      adminUrl: this.#adminUrl,
      balancer: balancerStatus(this.#supervisor, this.#heard, this.#child?.pid ?? null, this.#badLines),
      functions: this.#functions.status(),
      vrrp: this.#election.status(),
      kernel: await this.#kernel.status(),
    };
  }

  #input(input: Input): void {
    for (const action of this.#supervisor.handle(input, performance.now())) this.#perform(action);
    const deadline = this.#supervisor.deadline();
    clearTimeout(this.#timer);
    this.#election.evaluate();
    this.#tellService();
    if (deadline === null) return;
    this.#timer = setTimeout(
      () => this.#input({ kind: "tick" }),
      Math.max(0, deadline - performance.now()) + 1,
    );
  }

  #tellService(): void {
    const { service } = this.#holdings;
    if (service === null) return;
    const { state, lastDeath, drainMs } = this.#supervisor;
    service.tell({
      generation: this.#configurations.generation,
      reloading: this.#configurations.changing,
      refused: this.#configurations.refused !== null,
      leaving: this.#leaving,
      leaveMs: drainMs + LEAVE_GRACE_MS,
      balancer: { state, lastDeath },
      well: this.#child !== null && performance.now() - this.#heard.at < WELL_MS,
      instances: this.#election.status().instances,
    });
  }

  #perform(action: Action): void {
    switch (action.kind) {
      case "spawn":
        return this.#spawn();
      case "kill":
        return this.#child?.kill();
      case "drain":
        return this.#child?.send({
          kind: "drain",
          deadlineMs: action.deadlineMs,
          replaced: this.#upgrader.successor !== null,
        });
      case "exit":
        return this.#exited.resolve(action.code);
      case "log":
        return this.#log[action.level](action.message);
    }
  }

  #spawn(): void {
    const configuration = this.#configurations.restart();
    const { version, node, context, file } = this.#options;
    let child: BalancerChild;
    try {
      child = this.#child = new BalancerChild(
        this.#programs.startBalancer(this.#options.balancer),
        (decoded) => this.#onDecoded(decoded),
      );
    } catch (error) {
      const reason = `it cannot be started: ${reasonOf(error)}`;
      queueMicrotask(() => this.#input({ kind: "exited", reason, code: 1 }));
      return;
    }
    this.#log.info("balancer started", { pid: child.pid });
    const exclusive = this.#configurations.generation === null && !this.#succession.pending;
    this.#had.forget();
    child.send({ kind: "hello", version, node, context, file, exclusive });
    this.#functions.settle(null);
    child.send({ kind: "functions", places: this.#functions.places() });
    if (this.#succession.carried !== null) child.tellCarried(this.#succession.carried);
    if (this.#configurations.generation !== null) child.tellFiles(this.#held.text);
    if (configuration !== null) child.configure(configuration);
    this.#desk.begin(child);
    void child.ended.then(({ reason, code }) => {
      this.#child = null;
      this.#desk.end();
      this.#heard.forget();
      this.#input({ kind: "exited", reason, code });
    });
  }

  #onDecoded(decoded: Decoded<ToKeeper>): void {
    if (decoded.kind === "malformed") {
      this.#badLines++;
      this.#log.warning("the balancer sent a line that is no message", { reason: decoded.reason });
      return this.#input({ kind: "badLine" });
    }
    const { message } = decoded;
    switch (message.kind) {
      case "heartbeat":
        this.#heard.beat(message, performance.now());
        this.#had.tell();
        return this.#input({ kind: "heartbeat" });
      case "ready":
        return this.#onReady(message.generation);
      case "rejected":
        return this.#onRejected(message.generation, message.problems);
      case "health":
        this.#heard.tell(message.pools);
        if (this.#configurations.generation !== null) this.#succession.begin();
        return this.#election.evaluate();
      case "servers":
        return this.#kernel.tell(message.pool, message.servers);
      case "counters":
        this.#heard.counters = message;
        return;
      case "ask":
      case "answer":
        return this.#desk.onMessage(message);
      case "carried":
        return this.#upgrader.onCarried(message);
      case "probe":
        void this.#probes.run(message, this.#answerTo(message.id));
        return;
      case "files":
        return this.#held.hear(message);
      case "store":
        void this.#had.store(message);
        return;
    }
  }

  #onReady(generation: number): void {
    const facts = this.#configurations.ready(generation);
    if (facts === null) return;
    this.#adopt(facts);
    this.#heard.poolsAreOld = true;
    this.#input({ kind: "ready" });
    this.#probes.settled();
  }

  #onRejected(generation: number, problems: readonly string[]): void {
    if (!this.#configurations.rejected(generation, problems)) return;
    if (!this.#configurations.pending) this.#functions.settle(null);
    this.#succession.rejected(problems);
    this.#input({ kind: "rejected" });
    this.#probes.settled();
  }

  #adopt(facts: KeeperFacts): void {
    const { exec, election = NO_ELECTION, kernel = noPlan(this.#options.node) } = facts;
    this.#supervisor.drainMs = facts.drainMs;
    this.#adminUrl = facts.adminUrl ?? null;
    facts.setUpLog?.();
    const checks = [...exec.values()].flatMap(({ command }) => command.slice(0, 1));
    this.#programs.allow([...checks, ...programsOf(election)], facts.scriptUser);
    this.#had.configure(facts.acme ?? null, election);
    this.#pair.configure(election);
    this.#holdings.reconcile(election, kernel);
    this.#functions.settle(facts);
  }

  /** Tells the balancer that asked; another one knows nothing of it. */
  #answerTo(id: number): (result: ProbeAnswer) => void {
    const child = this.#child;
    return (result) => child?.send({ kind: "probeResult", id, ...result });
  }
}
