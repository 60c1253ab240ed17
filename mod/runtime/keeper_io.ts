/**
 * The keeper: the small, privileged process that is the parent of the balancer and answers on the admin socket.
 *
 * It decides nothing about the balancer itself (`supervise.ts`, `generations.ts` do); it carries out their actions
 * and hands them what happens. It holds the election (`election_io.ts`), and carries no traffic, reads the configuration itself, and takes from the balancer
 * only facts and requests. What a configuration means is told to it by an injected `check`.
 */
import type { Account } from "../base/accounts.ts";
import { type KernelPlan, noPlan } from "../kernel/plan.ts";
import type { ExecProcess, ExecSpawn } from "../health/exec_io.ts";
import { electionMetrics } from "../observe/election_status.ts";
import { kernelMetrics } from "../observe/kernel_status.ts";
import type { Log } from "../observe/log.ts";
import { AdminSocket } from "./admin_socket_io.ts";
import { withoutNetworkCapabilities } from "./ambient_io.ts";
import { type ElectionSettings, programsOf } from "./election.ts";
import type { BalancerFacts } from "./election_facts.ts";
import { Election } from "./election_io.ts";
import { ExecProbes, type ProbeAnswer } from "./exec_probes_io.ts";
import { type Configuration, Generations } from "./generations.ts";
import { configMessages, type Decoded, TO_KEEPER, type ToBalancer, type ToKeeper } from "./link.ts";
import { answerRequest } from "./keeper_requests_io.ts";
import { KernelPlane } from "./kernel_plane_io.ts";
import { LinkWriter, readLink } from "./link_io.ts";
import type { ScriptUser } from "./script_user.ts";
import type { ServiceManager } from "./sdnotify_io.ts";
import { execSpawn, Spawner } from "./spawn_io.ts";
import { type Action, HEARTBEAT_MS, type Input, SAME_STOP_MS, Supervisor } from "./supervise.ts";
import { MIGRATE_REQUESTS, Sysctls } from "./sysctl_io.ts";
import { distrustOf } from "./trusted_path_io.ts";

const NO_ELECTION: ElectionSettings = { instances: [], configHash: 0n };
/** Heartbeats missed after which the service manager is no longer told that all is well. */
const WELL_MS = 5 * HEARTBEAT_MS;
/** What the end of a node may take besides its drain. */
const LEAVE_GRACE_MS = 10_000;

/** What the keeper takes from a good configuration: never more than it needs itself. */
export interface KeeperFacts {
  /** Where the admin socket is; a reload does not move it. */
  readonly socketPath: string;
  readonly drainMs: number;
  /** The exec checks by pool. */
  readonly exec: ReadonlyMap<string, { readonly command: readonly string[]; readonly timeoutMs: number }>;
  /** Who the programs of the configuration run as. Without: this process's own user. */
  readonly scriptUser?: ScriptUser;
  /** Where the node answers over TCP; null: nowhere. */
  readonly adminUrl?: string | null;
  /** Without: this node takes part in no election. */
  readonly election?: ElectionSettings;
  /** Without: the kernel forwards nothing. */
  readonly kernel?: KernelPlan;
}

export type Checked = { readonly problems: readonly string[] } | KeeperFacts;

export interface KeeperOptions {
  readonly version: string;
  readonly node: string;
  readonly context: string | null;
  /** The configuration file, for messages. */
  readonly file: string;
  /** Reads the file. Rejects with a message for people. */
  readonly read: () => Promise<string>;
  /** Every problem of a text, or what the keeper needs of it. */
  readonly check: (text: string) => Promise<Checked>;
  readonly balancer: { readonly command: string; readonly args: readonly string[] };
  readonly log: Log;
  /** The service manager that started this node; absent or null: none did. */
  readonly service?: ServiceManager | null;
}

/** Runs a node until it is told to stop. The answer is the exit code. */
export async function runKeeper(options: KeeperOptions): Promise<number> {
  const { log } = options;
  let text: string;
  let facts: KeeperFacts;
  try {
    text = await options.read();
    const checked = await options.check(text);
    if ("problems" in checked) {
      for (const problem of checked.problems) log.error(problem);
      return 1;
    }
    facts = checked;
  } catch (error) {
    log.error(describe(error));
    return 1;
  }
  const sysctls = new Sysctls();
  const keeper = new Keeper(options, facts, sysctls);
  const opened = await AdminSocket.open(facts.socketPath, (request) => answerRequest(keeper, request));
  if ("problem" in opened) {
    log.error(opened.problem);
    return 1;
  }
  const problem = sysctls.set(MIGRATE_REQUESTS, "1");
  if (problem !== null) log.warning(`${problem}; a reload may reset connections that are being made`);
  if (Deno.uid() === 0) log.info("running as root: the balancer keeps root too, as it needs its ports");
  else if (!mayCallLibc()) {
    log.warning("without --allow-ffi the balancer keeps this process's capabilities");
  }
  try {
    return await keeper.run(text, facts);
  } finally {
    for (const left of sysctls.restore()) log.warning(left);
    await opened.socket.close();
  }
}

interface Child {
  readonly process: Deno.ChildProcess;
  readonly link: LinkWriter<ToBalancer>;
}

class Keeper {
  #options: KeeperOptions;
  #socketPath: string;
  #log: Log;
  #supervisor: Supervisor;
  #generations = new Generations();
  /** The last configuration, when it was refused: what runs is an older one. */
  #refused: { readonly at: number; readonly problems: readonly string[] } | null = null;
  #checked = new Map<number, KeeperFacts>();
  #spawner = new Spawner();
  #child: Child | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #startedAt = performance.now();
  #exited = Promise.withResolvers<number>();
  #reloading: Promise<void> = Promise.resolve();
  readonly #probes = new ExecProbes({
    pending: () => this.#generations.pending,
    checkOf: (pool) => this.#checked.get(this.#generations.accepted?.generation ?? -1)?.exec.get(pool),
    spawn: (path, args, env) => this.#spawnScript(path, args, env),
  });
  #badLines = 0;
  #heartbeat: Extract<ToKeeper, { kind: "heartbeat" }> | null = null;
  #heardAt = -Infinity;
  /** What is known of the pools is of the configuration before. */
  #poolsAreOld = false;
  #adminUrl: string | null;
  #scriptAccount: Account | null = null;
  /** What was last said of the programs' user, so that a reload does not repeat it. */
  #scriptWarning = "";
  #election: Election;
  readonly #kernel: KernelPlane;
  #leaving: "no" | "handing over" | "draining" = "no";
  #leavingSince = 0;
  /** Reloads whose file is being read. */
  #reading = 0;
  #counters: Extract<ToKeeper, { kind: "counters" }> | null = null;
  #pools = new Map<string, { healthy: number; servers: number }>();

  constructor(options: KeeperOptions, { socketPath, drainMs, adminUrl }: KeeperFacts, sysctls: Sysctls) {
    this.#options = options;
    this.#socketPath = socketPath;
    this.#adminUrl = adminUrl ?? null;
    this.#log = options.log;
    this.#supervisor = new Supervisor({ drainMs });
    this.#kernel = new KernelPlane(noPlan(options.node), {
      spawn: this.#spawner.spawn,
      log: options.log,
      onChange: () => this.#election.evaluate(),
    });
    this.#election = new Election({
      node: options.node,
      version: options.version,
      log: options.log,
      spawn: (path, args, env) => this.#spawnScript(path, args, env),
      balancer: () => this.#balancerFacts(),
      setSysctl: (name, value) => sysctls.set(name, value),
    });
  }

  async run(text: string, facts: KeeperFacts): Promise<number> {
    const stop = () => void this.#stop();
    const reload = () => this.reload();
    this.#checked.set(this.#generations.offer(text).generation, facts);
    this.#adopt(facts);
    Deno.addSignalListener("SIGTERM", stop);
    Deno.addSignalListener("SIGINT", stop);
    Deno.addSignalListener("SIGHUP", reload);
    try {
      this.#input({ kind: "start" });
      return await this.#exited.promise;
    } finally {
      Deno.removeSignalListener("SIGTERM", stop);
      Deno.removeSignalListener("SIGINT", stop);
      Deno.removeSignalListener("SIGHUP", reload);
      clearTimeout(this.#timer);
      this.#probes.close();
      await this.#election.stop();
      await this.#kernel.stop();
    }
  }

  /** First the addresses move, then the balancer drains; a second signal does not wait for the first of both. */
  async #stop(): Promise<void> {
    const now = performance.now();
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

  /** Reads the file again; a bad one changes nothing. One at a time, in order. */
  reload(): Promise<void> {
    this.#reading++;
    this.#tellService();
    this.#reloading = this.#reloading.then(() => this.#reloadOnce()).then(() => {
      this.#reading--;
      this.#tellService();
    });
    return this.#reloading;
  }

  async #reloadOnce(): Promise<void> {
    let text: string;
    let checked: Checked;
    try {
      text = await this.#options.read();
      checked = await this.#options.check(text);
    } catch (error) {
      this.#refused = { at: Date.now(), problems: [describe(error)] };
      this.#log.error(`reload refused: ${describe(error)}`);
      return;
    }
    if ("problems" in checked) {
      this.#refused = { at: Date.now(), problems: checked.problems };
      for (const problem of checked.problems) this.#log.error(problem);
      const count = checked.problems.length === 1 ? "1 problem" : `${checked.problems.length} problems`;
      this.#log.error(`reload refused: ${count}; running on as before`);
      return;
    }
    if (checked.socketPath !== this.#socketPath) {
      this.#log.warning("the admin socket moves with the next start only", { socket: checked.socketPath });
    }
    const offer = this.#generations.offer(text);
    this.#checked.set(offer.generation, checked);
    this.#log.info("reload: configuration read", { generation: offer.generation });
    if (this.#child !== null) this.#sendConfiguration(this.#child, offer);
  }

  async metrics(): Promise<string> {
    return electionMetrics(this.#election.status()) + kernelMetrics(await this.#kernel.status());
  }

  move(instance: string): string | null {
    return this.#election.move(instance);
  }

  maintain(on: boolean): void {
    this.#election.maintain(on);
  }

  async status(): Promise<Record<string, unknown>> {
    const { node, version, file } = this.#options;
    return {
      pid: Deno.pid,
      node,
      version,
      file,
      uptimeMs: Math.round(performance.now() - this.#startedAt),
      generation: this.#generations.accepted?.generation ?? null,
      reloading: this.#generations.pending,
      refused: this.#refused,
      adminUrl: this.#adminUrl,
      balancer: {
        state: this.#supervisor.state,
        pid: this.#child?.process.pid ?? null,
        restarts: this.#supervisor.restarts,
        lastDeath: this.#supervisor.lastDeath,
        badLines: this.#badLines,
        lagMs: this.#heartbeat?.lagMs ?? null,
        counters: this.#counters,
        pools: Object.fromEntries(this.#pools),
      },
      vrrp: this.#election.status(),
      kernel: await this.#kernel.status(),
    };
  }

  #balancerFacts(): BalancerFacts {
    const { state, lastDeath } = this.#supervisor;
    return {
      serving: state === "running" && this.#child !== null,
      state: `is ${state}${lastDeath === null ? "" : `; the last one ended: ${lastDeath}`}`,
      heardAt: this.#heardAt,
      pools: this.#pools,
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
    const { service } = this.#options;
    if (service === undefined || service === null) return;
    const { state, lastDeath, drainMs } = this.#supervisor;
    service.tell({
      generation: this.#generations.accepted?.generation ?? null,
      reloading: this.#reading > 0 || this.#generations.changing,
      refused: this.#refused !== null,
      leaving: this.#leaving,
      leaveMs: drainMs + LEAVE_GRACE_MS,
      balancer: { state, lastDeath },
      well: this.#child !== null && performance.now() - this.#heardAt < WELL_MS,
      instances: this.#election.status().instances,
    });
  }

  #perform(action: Action): void {
    switch (action.kind) {
      case "spawn":
        return this.#spawn();
      case "kill":
        return this.#kill();
      case "drain":
        return this.#child?.link.send({ kind: "drain", deadlineMs: action.deadlineMs });
      case "exit":
        return this.#exited.resolve(action.code);
      case "log":
        return this.#log[action.level](action.message);
    }
  }

  #kill(): void {
    try {
      this.#child?.process.kill("SIGKILL");
    } catch {
      // It ended in this very moment.
    }
  }

  #spawn(): void {
    const { configuration, dropped } = this.#generations.restart();
    for (const generation of dropped) {
      this.#log.error("a reload under way is given up, as the balancer ended meanwhile", { generation });
    }
    let process: Deno.ChildProcess;
    try {
      process = this.#start();
    } catch (error) {
      const reason = `it cannot be started: ${describe(error)}`;
      queueMicrotask(() => this.#input({ kind: "exited", reason, code: 1 }));
      return;
    }
    const child: Child = { process, link: new LinkWriter<ToBalancer>(process.stdin) };
    this.#child = child;
    this.#log.info("balancer started", { pid: process.pid });
    const { version, node, context, file } = this.#options;
    const exclusive = this.#generations.accepted === null;
    child.link.send({ kind: "hello", version, node, context, file, exclusive });
    if (configuration !== null) this.#sendConfiguration(child, configuration);
    this.#watch(child);
  }

  #start(): Deno.ChildProcess {
    const { command, args } = this.#options.balancer;
    // The balancer gets the terminal's or the service's stderr as its own: a log needs no way through here.
    return unprivileged(() =>
      this.#spawner.spawn(command, { args: [...args], stdin: "piped", stdout: "piped", stderr: "inherit" })
    );
  }

  async #watch(child: Child): Promise<void> {
    const reading = readLink(child.process.stdout, TO_KEEPER, (decoded) => this.#onDecoded(decoded));
    const { code, signal } = await child.process.status;
    await reading;
    await child.link.close();
    this.#child = null;
    this.#heartbeat = null;
    this.#pools.clear();
    this.#input({ kind: "exited", reason: signal === null ? `exit ${code}` : `killed by ${signal}`, code });
  }

  #sendConfiguration(child: Child, configuration: Configuration): void {
    for (const message of configMessages(configuration.generation, configuration.text)) {
      child.link.send(message);
    }
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
        this.#heartbeat = message;
        this.#heardAt = performance.now();
        return this.#input({ kind: "heartbeat" });
      case "ready":
        return this.#onReady(message.generation);
      case "rejected":
        return this.#onRejected(message.generation, message.problems);
      case "health":
        if (this.#poolsAreOld) this.#pools.clear();
        this.#poolsAreOld = false;
        for (const { pool, healthy, servers } of message.pools) this.#pools.set(pool, { healthy, servers });
        return this.#election.evaluate();
      case "servers":
        return this.#kernel.tell(message.pool, message.servers);
      case "counters":
        this.#counters = message;
        return;
      case "probe":
        void this.#probes.run(message, this.#answerTo(message.id));
        return;
    }
  }

  #onReady(generation: number): void {
    if (!this.#generations.ready(generation)) return;
    this.#refused = null;
    const facts = this.#checked.get(generation);
    for (const older of this.#checked.keys()) if (older < generation) this.#checked.delete(older);
    if (facts !== undefined) this.#adopt(facts);
    this.#poolsAreOld = true;
    this.#log.info("configuration in force", { generation });
    this.#input({ kind: "ready" });
    this.#probes.settled();
  }

  #onRejected(generation: number, problems: readonly string[]): void {
    if (!this.#generations.rejected(generation)) return;
    this.#refused = { at: Date.now(), problems };
    for (const problem of problems) this.#log.error(problem, { generation });
    this.#input({ kind: "rejected" });
    this.#probes.settled();
  }

  #adopt(facts: KeeperFacts): void {
    const { exec, election = NO_ELECTION, kernel = noPlan(this.#options.node) } = facts;
    this.#supervisor.drainMs = facts.drainMs;
    this.#adminUrl = facts.adminUrl ?? null;
    const checks = [...exec.values()].flatMap(({ command }) => command.slice(0, 1));
    const programs = [...checks, ...programsOf(election)];
    this.#spawner.allowScripts(programs);
    this.#runScriptsAs(programs.length > 0 ? facts.scriptUser : undefined);
    for (const program of new Set(programs)) {
      const distrust = distrustOf(program, this.#scriptAccount);
      if (distrust !== null) this.#log.warning(`Cannot run a program when it is wanted: ${distrust}`);
    }
    this.#kernel.configure(kernel);
    void this.#election.reconcile(election);
  }

  #runScriptsAs({ account, warning }: ScriptUser = { account: null, warning: "" }): void {
    this.#scriptAccount = account;
    if (warning !== "" && warning !== this.#scriptWarning) this.#log.warning(warning);
    this.#scriptWarning = warning;
  }

  /** Tells the balancer that asked; another one knows nothing of it. */
  #answerTo(id: number): (result: ProbeAnswer) => void {
    const child = this.#child;
    return (result) => child?.link.send({ kind: "probeResult", id, ...result });
  }

  #spawnScript(...[path, args, env]: Parameters<ExecSpawn>): ExecProcess {
    const account = this.#scriptAccount;
    const distrust = distrustOf(path, account);
    if (distrust !== null) throw new Error(distrust);
    return unprivileged(() => execSpawn(this.#spawner, account)(path, args, env));
  }
}

/** Whatever the keeper starts has none of its network capabilities, unless all of root's are its own. */
function unprivileged<T>(start: () => T): T {
  return Deno.uid() === 0 || !mayCallLibc() ? start() : withoutNetworkCapabilities(start);
}

function mayCallLibc(): boolean {
  return Deno.permissions.querySync({ name: "ffi" }).state === "granted";
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
