/**
 * The control thread of the balancer: from a configuration's text to a snapshot that every worker has in force.
 *
 * text → configuration → names looked up → snapshot → addresses free? → health knows the servers → workers apply.
 * One change at a time, from the keeper or from DNS; a change that fails anywhere leaves what ran before in force.
 * It carries no traffic and must not know the link to the keeper.
 */
import { formatHostPort } from "../base/address.ts";
import type { AcmeAnswers } from "../config/acme_build.ts";
import { certificateFiles } from "../config/certificate_files_io.ts";
import { type CertificateReader, readTlsFiles, TlsFiles } from "../config/certificates.ts";
import { certificateReader } from "../config/certificates_io.ts";
import { describeDiff, diffSnapshots } from "../config/diff.ts";
import { directoryOf } from "../config/file_paths.ts";
import { withFunctionPools } from "../config/functions.ts";
import { type LiveChanges, NO_CHANGES, strangeAddress } from "../config/live.ts";
import { loadConfig, type LoadResult } from "../config/load.ts";
import { problemLine } from "../config/problem.ts";
import type { Config } from "../config/schema.ts";
import type { PoolSnapshot, Snapshot } from "../config/snapshot.ts";
import type { Lookup, Name } from "../discovery/answer.ts";
import { Discovery } from "../discovery/discovery_io.ts";
import type { Probe } from "../health/probe_io.ts";
import type { Log } from "../observe/log.ts";
import type { AccessOutput } from "../observe/access_output_io.ts";
import type { NodeStatus } from "../observe/status.ts";
import type { Sink } from "../observe/sink_io.ts";
import { type AdminFacts, AdminServer, type MakeAdmin } from "./admin_server_io.ts";
import type { ControlPort, Hello } from "./balancer_io.ts";
import { type Bind, checkBinds, newBinds } from "./bind_check_io.ts";
import { carry, receive } from "./carried.ts";
import { CertificateWatch } from "./certificate_watch_io.ts";
import { type FunctionPlace, FunctionPlaces } from "./function_places.ts";
import { Had } from "./had_certificates_io.ts";
import type { TlsTrouble } from "../proxy/environment.ts";
import { RowOwners } from "./row_owners.ts";
import { type Running, sectionsOf, setServers, startRunning } from "./running_io.ts";
import { type Address, addressesAt, namesOf } from "./names.ts";
import { answerKeeper, balancerDesk, type BalancerFacts } from "./desk_balancer_io.ts";
import type { OfBalancer, OfKeeper } from "./questions.ts";
import type { Sticks } from "./stick_memory.ts";
import { after } from "./timer_io.ts";
import { TlsTroubles } from "./tls_troubles.ts";
import { forwardedPools, nodeStatus, poolHealth, serverShares, tcpSlots, trafficSums } from "./status.ts";

/** A snapshot waits for the first answers about new names at most so long; servers come later then. */
const FIRST_LOOKUP_MS = 2000;

/** Makes a snapshot; throws with a message for people when it does not fit into shared memory. */
export type Build = (
  config: Config,
  options: {
    readonly generation: number;
    readonly node: string;
    /** The addresses of a pool's server, by its index, now. */
    readonly resolve: (pool: string, server: number) => readonly Address[];
    readonly files: ReadonlyMap<string, string>;
    /** Where relative paths of the configuration start. */
    readonly directory: string;
    readonly certificates: TlsFiles;
    readonly acme: AcmeAnswers;
    readonly live: LiveChanges["pools"];
  },
) => Snapshot;

export interface ControlOptions {
  readonly hello: Hello;
  readonly build: Build;
  readonly execProbe: Probe;
  /** A server has changed; the pools show it in the next turn. */
  readonly onHealth: () => void;
  readonly askKeeper: (question: OfKeeper) => Promise<unknown>;
  readonly lookUp: (name: Name, signal: AbortSignal) => Promise<Lookup>;
  readonly env: (name: string) => string | undefined;
  readonly workerEntry: URL;
  /** Workers for `auto`. */
  readonly cores: number;
  readonly makeAdmin: MakeAdmin;
  /** Takes the access log. */
  readonly accessLog: Sink;
  /** Where it goes then. */
  readonly accessOutput: AccessOutput;
  readonly log: Log;
  /** Has the keeper keep a file of what was had by ACME; rejects with the reason. */
  readonly store: (file: string, text: string) => Promise<void>;
  /** Sets the log up as the configuration says. */
  readonly setUpLog: (log: Config["log"]) => void;
}

type Loaded = Pick<Extract<LoadResult, { config: Config }>, "config" | "live" | "files" | "certificates">;

export class Control implements ControlPort {
  #options: ControlOptions;
  #log: Log;
  #discovery: Discovery;
  #admin: AdminServer;
  #certificates: CertificateReader;
  #certificateWatch: CertificateWatch;
  readonly #had: Had;
  #running: Running | null = null;
  /** What the configuration was read from, and what was laid over it. */
  #text = "";
  #live: LiveChanges = NO_CHANGES;
  #config: Config | null = null;
  /** The texts of the files that it names, as they were when it was read. */
  #files: ReadonlyMap<string, string> = new Map();
  #tlsTroubles = new TlsTroubles();
  #tlsFiles = new TlsFiles();
  #snapshot: Snapshot | null = null;
  #tcpSlots = new Set<number>();
  #owners = new RowOwners();
  #generation = 0;
  #order: Promise<unknown> = Promise.resolve();
  #startedAt = Date.now();
  #draining = false;
  readonly #places = new FunctionPlaces();
  readonly #deskFacts: BalancerFacts = {
    status: () => this.#running === null || this.#snapshot === null ? null : this.status(),
    sessions: (pool, limit) => this.#withPool(pool, (one, sticks) => sticks.list(one, limit, Date.now())),
    forgetSessions: (pool, server) =>
      this.#withPool(pool, (one, sticks) => sticks.forget(one, server, Date.now())),
    askKeeper: (question) => this.#options.askKeeper(question),
  };
  /** What the balancer before knew, until it is put in its places. */
  #received: string | null = null;

  constructor(options: ControlOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#discovery = new Discovery({
      lookUp: options.lookUp,
      onChange: () => void this.#inOrder(() => this.#rebuild("servers behind a name")),
      onTrouble: (name, reason) => this.#logTrouble(name, reason),
      now: () => performance.now(),
      after,
    });
    const facts: AdminFacts = {
      state: () => this.#draining ? "draining" : this.#snapshot === null ? "starting" : "serving",
      status: () => this.status(),
      version: options.hello.version,
      desk: balancerDesk(this.#deskFacts),
    };
    this.#admin = new AdminServer(facts, options.makeAdmin);
    this.#had = new Had({
      ...{ node: options.hello.node, env: options.env, log: options.log, store: options.store },
      onAnswers: () => this.#inOrder(() => this.#answerAuthorities()),
      onRenewed: () => this.#certificateWatch.look(),
    });
    this.#certificates = certificateReader(options.hello.file, Date.now, this.#had);
    this.#certificateWatch = new CertificateWatch({
      log: options.log,
      now: Date.now,
      current: () =>
        this.#config === null || this.#snapshot === null
          ? null
          : { config: this.#config, snapshot: this.#snapshot },
      reader: this.#certificates,
      reread: () => this.#inOrder(() => this.#reloadCertificates()),
    });
    this.#certificateWatch.start();
  }

  configure(text: string, live: LiveChanges): Promise<{ problems: readonly string[] }> {
    return this.#inOrder(() => this.#configure(text, live));
  }

  change(live: LiveChanges): Promise<{ problems: readonly string[] }> {
    return this.#inOrder(() => this.#change(live));
  }

  answer(question: OfBalancer): unknown {
    return answerKeeper(this.#deskFacts, question);
  }

  receive(text: string): void {
    this.#received = text;
  }

  issue(on: boolean): void {
    void this.#had.setActive(on);
  }

  arrived(): void {
    void this.#had.refresh();
    void this.#certificateWatch.look();
  }

  place(places: readonly FunctionPlace[]): void {
    // Told with every reload, and a rebuild is one of every worker.
    if (this.#places.set(places)) void this.#inOrder(() => this.#rebuild("processes of functions"));
  }

  carry(): string {
    return this.#running === null ? "{}" : carry(sectionsOf(this.#running));
  }

  async drain(deadlineMs: number, replaced: boolean): Promise<void> {
    // First of all: nobody is to hear that the node drains, as another serves.
    if (replaced) await this.#admin.close();
    this.#draining = true;
    this.#certificateWatch.stop();
    // An authority may take its time to answer; nobody waits for it.
    void this.#had.close();
    if (this.#running !== null) {
      const { crew, monitor } = this.#running;
      await crew.drain(deadlineMs);
      crew.close();
      await monitor.close();
    }
    await this.#discovery.close();
    await this.#admin.close();
    await this.#options.accessLog.flush();
  }

  drainMs(): number {
    return this.#config?.drainTimeout ?? 0;
  }

  health(): { pool: string; healthy: number; servers: number }[] {
    if (this.#running === null || this.#snapshot === null) return [];
    const { memory } = this.#running;
    return this.#snapshot.pools.map((pool) => poolHealth(pool, memory));
  }

  shares(): ReturnType<ControlPort["shares"]> {
    if (this.#running === null || this.#snapshot === null || this.#config === null) return [];
    const { slots } = this.#running.memory;
    const wanted = forwardedPools(this.#config);
    return this.#snapshot.pools.filter(({ name }) => wanted.has(name)).map((pool) =>
      serverShares(pool, slots)
    );
  }

  counters(): ReturnType<ControlPort["counters"]> {
    if (this.#running === null || this.#snapshot === null) {
      return { connections: 0, accepted: 0, requests: 0, errors: 0, workersReplaced: 0 };
    }
    const { crew, memory } = this.#running;
    return { ...trafficSums(this.#snapshot, memory.counters), workersReplaced: crew.replaced };
  }

  /** Throws before the first configuration is in force. */
  status(): NodeStatus {
    if (this.#running === null || this.#snapshot === null) throw new Error("Cannot tell a status yet");
    const { memory, monitor, crew, tables } = this.#running;
    return nodeStatus({
      version: this.#options.hello.version,
      snapshot: this.#snapshot,
      memory,
      health: monitor.status(),
      sessions: (pool) => tables.sticks.status(pool, Date.now()),
      limits: tables.limits.status(this.#snapshot, Date.now()),
      tlsTrouble: (slot) => this.#tlsTroubles.recent(slot, Date.now()),
      draining: this.#draining,
      startedAt: this.#startedAt,
      now: Date.now(),
      workers: crew.status(),
      workersReplaced: crew.replaced,
      accessLinesDropped: crew.logDropped + this.#options.accessLog.droppedLines,
      names: this.#discovery.status(),
      acme: this.#had.status(),
    });
  }

  #withPool<T>(name: string, use: (pool: PoolSnapshot, sticks: Sticks) => T): T | null {
    const pool = this.#snapshot?.pools.find((one) => one.name === name);
    return pool === undefined || this.#running === null ? null : use(pool, this.#running.tables.sticks);
  }

  #inOrder<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#order.then(change);
    this.#order = result.catch(() => {});
    return result;
  }

  async #configure(text: string, live: LiveChanges): Promise<{ problems: readonly string[] }> {
    const { hello: { file, node, context }, env } = this.#options;
    const loaded = await loadConfig(text, {
      ...{ file, node, context, env, live },
      files: certificateFiles(file),
      certificates: this.#certificates,
    });
    if ("problems" in loaded) return { problems: loaded.problems.map((problem) => problemLine(problem)) };
    const problems = await this.#putInForce(loaded);
    if (problems.length === 0) this.#text = text;
    return { problems };
  }

  /** What files hold stays as it was read with the text. */
  async #change(live: LiveChanges): Promise<{ problems: readonly string[] }> {
    const { hello: { file, node, context }, env } = this.#options;
    const loaded = await loadConfig(this.#text, { file, node, context, env, live });
    if ("problems" in loaded) return { problems: loaded.problems.map((problem) => problemLine(problem)) };
    const strange = strangeAddress(loaded.live, this.#live, this.#snapshot?.pools ?? []);
    if (strange !== null) return { problems: [`no server has the address ${strange} now`] };
    const read = { files: this.#files, certificates: this.#tlsFiles };
    return { problems: await this.#putInForce({ ...loaded, ...read }) };
  }

  async #putInForce({ config: bare, live, files, certificates }: Loaded): Promise<readonly string[]> {
    const config = withFunctionPools(bare);
    const before = this.#config, snapshotBefore = this.#snapshot;
    const liveBefore = this.#live, filesBefore = this.#files;
    this.#discovery.update(namesOf(config));
    await this.#discovery.settled(FIRST_LOOKUP_MS);
    [this.#files, this.#live] = [files, live];
    const problems = await this.#replace(config, certificates);
    if (problems.length > 0) {
      [this.#files, this.#live] = [filesBefore, liveBefore];
      this.#discovery.update(before === null ? [] : namesOf(before));
      return problems;
    }
    this.#config = config;
    this.#tlsFiles = certificates;
    this.#options.setUpLog(config.log);
    // Not awaited: the keeper first hears that this is in force.
    void this.#had.configure(config, files);
    this.#logChange(snapshotBefore, this.#snapshot!);
    if (config.workers !== this.#running!.workers) {
      const { workers } = config;
      this.#log.warning("the number of workers changes with the next start only", { workers });
    }
    return [];
  }

  #onTlsFailure(trouble: TlsTrouble): void {
    const { pool, server, reason } = trouble;
    if (this.#tlsTroubles.note(trouble, Date.now())) {
      this.#log.warning("no TLS connection to a server", { pool, server, reason });
    }
  }

  #logTrouble({ dns, type }: Name, reason: string): void {
    if (reason === "") return this.#log.info("the name can be looked up again", { name: dns, type });
    this.#log.warning("cannot look up a name", { name: dns, type, reason });
  }

  #logChange(before: Snapshot | null, now: Snapshot): void {
    if (before === null) {
      const listeners = now.listeners.map(({ name, binds }) =>
        `${name}=${binds.map(({ host, port }) => formatHostPort(host, port)).join("+")}`
      );
      return this.#log.info("listening", { listeners });
    }
    const changes = describeDiff(diffSnapshots(before, now));
    this.#log.info(
      Object.keys(changes).length === 0
        ? "listeners and pools stay as they were"
        : "the configuration has changed",
      changes,
    );
  }

  /** Puts a configuration in force, or says why not. */
  async #replace(config: Config, certificates: TlsFiles): Promise<readonly string[]> {
    const address = config.admin === undefined
      ? null
      : { ...config.admin.bind, token: config.admin.token ?? null };
    const snapshot = this.#build(config, certificates);
    if ("problem" in snapshot) return [snapshot.problem];
    const taken = await this.#takenAddresses(snapshot, config);
    if (taken.length > 0) return taken;
    const admin = this.#admin.prepare(address);
    if ("problem" in admin) return [admin.problem];
    const output = this.#options.accessOutput.prepare(config.log);
    if ("problem" in output) {
      admin.cancel();
      return [output.problem];
    }
    this.#running ??= this.#start(config);
    const errors = await this.#apply(this.#running, snapshot);
    for (const part of [admin, output]) {
      if (errors.length > 0) part.cancel();
      else part.commit();
    }
    return errors;
  }

  /** Servers are others: the same configuration again. */
  async #rebuild(what: string): Promise<void> {
    if (this.#config === null || this.#running === null || this.#draining) return;
    const snapshot = this.#build(this.#config, this.#tlsFiles);
    const errors = "problem" in snapshot ? [snapshot.problem] : await this.#apply(this.#running, snapshot);
    for (const error of errors) this.#log.error(`the servers stay as they were: ${error}`);
    if (errors.length === 0) this.#log.info(`the ${what} have changed`);
  }

  /** Authorities are to be told other things: the same configuration again. Rejects with what is in the way. */
  async #answerAuthorities(): Promise<void> {
    if (this.#config === null || this.#running === null || this.#draining) return;
    const snapshot = this.#build(this.#config, this.#tlsFiles);
    const [problem] = "problem" in snapshot ? [snapshot.problem] : await this.#apply(this.#running, snapshot);
    if (problem !== undefined) throw new Error(problem);
  }

  /** The files of the certificates have changed on disk: the same configuration again, if they are good. */
  async #reloadCertificates(): Promise<readonly string[]> {
    if (this.#config === null || this.#running === null || this.#draining) return [];
    const { files, problems } = await readTlsFiles(this.#config, this.#certificates);
    if (problems.length > 0) return problems.map(({ message }) => message);
    if (files.content === this.#tlsFiles.content) return [];
    const before = this.#snapshot!;
    const snapshot = this.#build(this.#config, files);
    const errors = "problem" in snapshot ? [snapshot.problem] : await this.#apply(this.#running, snapshot);
    if (errors.length > 0) return errors;
    this.#tlsFiles = files;
    void this.#had.refresh();
    this.#log.info("certificates have changed", describeDiff(diffSnapshots(before, this.#snapshot!)));
    return [];
  }

  #build(config: Config, certificates: TlsFiles): Snapshot | { problem: string } {
    try {
      return this.#options.build(config, {
        generation: ++this.#generation,
        node: this.#options.hello.node,
        files: this.#files,
        directory: directoryOf(this.#options.hello.file),
        certificates,
        acme: this.#had.answers,
        live: this.#live.pools,
        resolve: (pool, index) =>
          this.#places.of(pool, index) ??
            addressesAt(config, pool, index, (name) => this.#discovery.members(name)),
      });
    } catch (error) {
      return { problem: error instanceof Error ? error.message : String(error) };
    }
  }

  async #takenAddresses(snapshot: Snapshot, config: Config): Promise<string[]> {
    const current = this.#snapshot;
    // One that is restarted, or takes over, has what was its node's own, and nobody to be afraid of.
    if (current === null && !this.#options.hello.exclusive) return [];
    const ours = current === null || this.#config === null ? [] : bindsOf(current, this.#config);
    return await checkBinds(newBinds(bindsOf(snapshot, config), ours));
  }

  async #apply(running: Running, snapshot: Snapshot): Promise<readonly string[]> {
    // A worker that is done with its drain would listen again.
    if (this.#draining) return ["the configuration stays as it is, as the node is stopping"];
    const { crew, memory, tables } = running;
    const before = this.#snapshot;
    const { servers, listeners } = this.#owners.claim(snapshot);
    for (const slot of servers) {
      memory.counters.clearServer(slot);
      this.#tlsTroubles.forget(slot);
    }
    for (const row of listeners) memory.counters.clearListener(row);
    setServers(running, snapshot);
    if (this.#received !== null) this.#goOn(running, this.#received);
    const memories = tables.prepare(snapshot, Date.now());
    const { errors } = await crew.apply(snapshot, memories);
    if (errors.length === 0) {
      tables.keep(memories);
      this.#snapshot = snapshot;
      this.#tcpSlots = tcpSlots(snapshot);
      memory.queue.wakeAll();
      return [];
    }
    if (before !== null && !this.#draining) {
      setServers(running, before);
      // Some workers have the new one already: all get the old one again.
      const old = { ...before, generation: ++this.#generation };
      const { errors: again } = await crew.apply(old, tables.current);
      for (const error of again) this.#log.error(`Cannot go back to what ran before: ${error}`);
    }
    return errors;
  }

  /** What the balancer before knew: after the servers are known, and before anybody accepts. */
  #goOn(running: Running, received: string): void {
    this.#received = null;
    for (const problem of receive(sectionsOf(running), received)) {
      this.#log.warning("not all can be carried over from the balancer before", { problem });
    }
  }

  #start({ workers }: Config): Running {
    const { workerEntry, cores, accessLog, execProbe, onHealth, log } = this.#options;
    return startRunning({
      ...{ workerEntry, workers, cores, accessLog, execProbe, onHealth, log },
      onTlsFailure: (trouble) => this.#onTlsFailure(trouble),
      servesTcp: (slot) => this.#tcpSlots.has(slot),
    });
  }
}

function bindsOf({ listeners }: Snapshot, { admin }: Config): Bind[] {
  const all: Bind[] = listeners.flatMap(({ name, binds, protocol }) =>
    binds.map(({ host, port }) => ({
      purpose: `the listener \`${name}\``,
      host,
      port,
      datagrams: protocol === "udp",
    }))
  );
  return admin === undefined ? all : [...all, { purpose: "admin.bind", ...admin.bind }];
}
