/**
 * The control thread of the balancer: from a configuration's text to a snapshot that every worker has in force.
 *
 * text → configuration → names looked up → snapshot → addresses free? → health knows the servers → workers apply.
 * One change at a time, from the keeper or from DNS; a change that fails anywhere leaves what ran before in force.
 * It carries no traffic and must not know the link to the keeper.
 */
import { formatHostPort } from "../base/address.ts";
import { reasonOf } from "../base/reason.ts";
import type { AcmeAnswers } from "../config/acme_build.ts";
import { isAdminAddress, type OwnAddresses } from "../config/admin_rules.ts";
import type { TlsFiles } from "../config/certificates.ts";
import { certificateFiles } from "../config/certificate_files_io.ts";
import { describeDiff, diffSnapshots } from "../config/diff.ts";
import { directoryOf } from "../config/file_paths.ts";
import { withFunctionPools } from "../config/functions.ts";
import { heldCertificatesOr, heldOr } from "../config/held_files.ts";
import { type LiveChanges, NO_CHANGES, strangeAddress } from "../config/live.ts";
import { loadConfig, type LoadResult } from "../config/load.ts";
import { problemLine } from "../config/problem.ts";
import type { Config } from "../config/schema.ts";
import type { Snapshot } from "../config/snapshot.ts";
import type { Lookup, Name } from "../discovery/answer.ts";
import { Discovery } from "../discovery/discovery_io.ts";
import type { Probe } from "../health/probe_io.ts";
import type { Log } from "../observe/log.ts";
import type { AccessOutput } from "../observe/access_output_io.ts";
import type { NodeStatus } from "../observe/status.ts";
import type { Sink } from "../observe/sink_io.ts";
import { type AdminAddress, type AdminFacts, AdminServer, type MakeAdmin } from "./admin_server_io.ts";
import type { ControlPort, Hello } from "./balancer_io.ts";
import { type Bind, checkBinds, newBinds } from "./bind_check_io.ts";
import { CertificatesInForce } from "./certificates_in_force_io.ts";
import { type FunctionPlace, FunctionPlaces } from "./function_places.ts";
import { InForce } from "./in_force_io.ts";
import { type Address, addressesAt, namesOf } from "./names.ts";
import { answerKeeper, balancerDesk, type BalancerFacts } from "./desk_balancer_io.ts";
import type { OfBalancer, OfKeeper } from "./questions.ts";
import { ReceivedFiles } from "./received_files.ts";
import { SpanExporter } from "./span_exporter_io.ts";
import { after } from "./timer_io.ts";

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
  /** Has the keeper keep what files hold for the next balancer; empty: there is nothing. */
  readonly hold: (text: string) => void;
  /** Sets the log up as the configuration says. */
  readonly setUpLog: (log: Config["log"]) => void;
}

type Loaded = Pick<Extract<LoadResult, { config: Config }>, "config" | "live" | "files" | "certificates">;

export class Control implements ControlPort {
  #options: ControlOptions;
  #log: Log;
  #discovery: Discovery;
  #admin: AdminServer;
  readonly #certificates: CertificatesInForce;
  readonly #inForce: InForce;
  readonly #spans: SpanExporter;
  /** What the configuration was read from, and what was laid over it. */
  #text = "";
  #live: LiveChanges = NO_CHANGES;
  #config: Config | null = null;
  /** The texts of the files that it names, as they were when it was read. */
  #files: ReadonlyMap<string, string> = new Map();
  readonly #received: ReceivedFiles;
  #order: Promise<unknown> = Promise.resolve();
  #startedAt = Date.now();
  readonly #places = new FunctionPlaces();
  readonly #deskFacts: BalancerFacts = {
    status: () => this.#inForce.snapshot === null ? null : this.status(),
    sessions: (pool, asked) =>
      this.#inForce.withPool(pool, (one, sticks) => sticks.list(one, asked, Date.now())),
    setSession: (pool, session) =>
      this.#inForce.withPool(pool, (one, sticks) => sticks.set(one, session, Date.now())),
    forgetSessions: (pool, which) =>
      this.#inForce.withPool(pool, (one, sticks) => sticks.forget(one, which, Date.now())),
    purgeCache: (purge) => this.#inForce.purgeCache(purge),
    askKeeper: (question) => this.#options.askKeeper(question),
  };

  constructor(options: ControlOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#received = new ReceivedFiles(options.log);
    const { workerEntry, cores, accessLog, execProbe, onHealth, log } = options;
    const spans = this.#spans = new SpanExporter(
      { version: options.hello.version, node: options.hello.node },
      log,
    );
    this.#inForce = new InForce({ workerEntry, cores, accessLog, spans, execProbe, onHealth, log });
    this.#discovery = new Discovery({
      lookUp: options.lookUp,
      onChange: () => void this.#inOrder(() => this.#rebuild("servers behind a name")),
      onTrouble: (name, reason) => this.#logTrouble(name, reason),
      now: () => performance.now(),
      after,
    });
    const facts: AdminFacts = {
      state: () =>
        this.#inForce.draining ? "draining" : this.#inForce.snapshot === null ? "starting" : "serving",
      status: () => this.status(),
      traffic: () => this.#inForce.traffic(),
      version: options.hello.version,
      desk: balancerDesk(this.#deskFacts),
    };
    this.#admin = new AdminServer(facts, options.makeAdmin);
    this.#certificates = new CertificatesInForce({
      ...{ file: options.hello.file, node: options.hello.node, env: options.env, log },
      ...{ store: options.store, hold: options.hold },
      current: () => this.#current(),
      inOrder: (change) => this.#inOrder(change),
      rebuild: (certificates) => this.#again(certificates),
    });
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
    this.#inForce.receive(text);
  }

  receiveFiles(text: string): void {
    this.#received.receive(text);
    const { files } = this.#received;
    if (files !== null) this.#certificates.receive(files);
  }

  issue(on: boolean): void {
    void this.#certificates.had.setActive(on);
  }

  arrived(): void {
    this.#certificates.arrived();
  }

  place(places: readonly FunctionPlace[]): void {
    // Told with every reload, and a rebuild is one of every worker.
    if (this.#places.set(places)) void this.#inOrder(() => this.#rebuild("processes of functions"));
  }

  carry(): string {
    return this.#inForce.carry();
  }

  async drain(deadlineMs: number, replaced: boolean): Promise<void> {
    // First of all: nobody is to hear that the node drains, as another serves.
    if (replaced) await this.#admin.close();
    const drained = this.#inForce.drain(deadlineMs);
    this.#certificates.close();
    await drained;
    await this.#discovery.close();
    await this.#admin.close();
    await Promise.all([this.#options.accessLog.flush(), this.#spans.close()]);
  }

  drainMs(): number {
    return this.#config?.drainTimeout ?? 0;
  }

  health(): ReturnType<ControlPort["health"]> {
    return this.#inForce.health();
  }

  shares(): ReturnType<ControlPort["shares"]> {
    return this.#config === null ? [] : this.#inForce.shares(this.#config);
  }

  counters(): ReturnType<ControlPort["counters"]> {
    return this.#inForce.counters();
  }

  /** Throws before the first configuration is in force. */
  status(): NodeStatus {
    return this.#inForce.status({
      version: this.#options.hello.version,
      startedAt: this.#startedAt,
      names: this.#discovery.status(),
      acme: this.#certificates.had.status(),
      certificates: this.#certificates.named,
      linesDropped: this.#options.accessLog.droppedLines,
      accessLogProblem: this.#options.accessOutput.problem,
    });
  }

  /** Null: nothing is in force yet, or nothing is to change any more. */
  #current(): { readonly config: Config; readonly snapshot: Snapshot } | null {
    const { snapshot, draining } = this.#inForce;
    return this.#config === null || snapshot === null || draining ? null : { config: this.#config, snapshot };
  }

  #inOrder<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#order.then(change);
    this.#order = result.catch(() => {});
    return result;
  }

  async #configure(text: string, live: LiveChanges): Promise<{ problems: readonly string[] }> {
    const { hello: { file, node, context }, env } = this.#options;
    const held = this.#received.files;
    const [files, certificates] = [certificateFiles(file), this.#certificates.reader];
    const loaded = await loadConfig(text, {
      ...{ file, node, context, env, live },
      files: held === null ? files : heldOr(held, files),
      certificates: held === null ? certificates : heldCertificatesOr(held, certificates),
    });
    if ("problems" in loaded) return { problems: loaded.problems.map((problem) => problemLine(problem)) };
    const problems = await this.#putInForce(loaded);
    if (problems.length > 0) return { problems };
    this.#text = text;
    this.#received.forget();
    return { problems };
  }

  /** What files hold stays as it was read with the text. */
  async #change(live: LiveChanges): Promise<{ problems: readonly string[] }> {
    const { hello: { file, node, context }, env } = this.#options;
    const loaded = await loadConfig(this.#text, { file, node, context, env, live });
    if ("problems" in loaded) return { problems: loaded.problems.map((problem) => problemLine(problem)) };
    const strange = strangeAddress(loaded.live, this.#live, this.#inForce.snapshot?.pools ?? []);
    if (strange !== null) return { problems: [`no server has the address ${strange} now`] };
    const read = { files: this.#files, certificates: this.#certificates.files };
    return { problems: await this.#putInForce({ ...loaded, ...read }) };
  }

  async #putInForce({ config: bare, live, files, certificates }: Loaded): Promise<readonly string[]> {
    const config = withFunctionPools(bare);
    // The first lines have the form of all others.
    if (this.#config === null) this.#options.setUpLog(config.log);
    const before = this.#config, snapshotBefore = this.#inForce.snapshot;
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
    this.#options.setUpLog(config.log);
    this.#spans.configure(config.tracing ?? null);
    this.#certificates.configure(config, certificates, files);
    this.#logChange(snapshotBefore, this.#inForce.snapshot!);
    if (config.workers !== this.#inForce.workers) {
      const { workers } = config;
      this.#log.warning("the number of workers changes with the next start only", { workers });
    }
    return [];
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
    const snapshot = this.#build(config, certificates);
    if ("problem" in snapshot) return [snapshot.problem];
    const taken = await this.#takenAddresses(snapshot, config);
    if (taken.length > 0) return taken;
    const admin = await this.#admin.prepare(adminAddress(config, certificates));
    if ("problem" in admin) return [admin.problem];
    // A balancer that is started anew goes on without its log.
    const output = this.#options.accessOutput.prepare(config.log, this.#received.startedAnew);
    if ("problem" in output) {
      admin.cancel();
      return [output.problem];
    }
    this.#inForce.start(config);
    const errors = await this.#inForce.apply(snapshot);
    for (const part of [admin, output]) {
      if (errors.length > 0) part.cancel();
      else part.commit();
    }
    return errors;
  }

  /** Servers are others: the same configuration again. */
  async #rebuild(what: string): Promise<void> {
    if (this.#current() === null) return;
    const errors = await this.#again(this.#certificates.files);
    for (const error of errors) this.#log.error(`the servers stay as they were: ${error}`);
    if (errors.length === 0) this.#log.info(`the ${what} have changed`);
  }

  /** The configuration that is in force once more, as what it stands on has changed. */
  async #again(certificates: TlsFiles): Promise<readonly string[]> {
    const snapshot = this.#build(this.#config!, certificates);
    if ("problem" in snapshot) return [snapshot.problem];
    const admin = await this.#admin.prepare(adminAddress(this.#config!, certificates));
    if ("problem" in admin) return [admin.problem];
    const errors = await this.#inForce.apply(snapshot);
    if (errors.length > 0) admin.cancel();
    else admin.commit();
    return errors;
  }

  #build(config: Config, certificates: TlsFiles): Snapshot | { problem: string } {
    let known: ReadonlySet<string> | null = null;
    const own = () => known ??= new Set(Deno.networkInterfaces().map(({ address }) => address));
    try {
      return this.#options.build(config, {
        generation: this.#inForce.nextGeneration(),
        node: this.#options.hello.node,
        files: this.#files,
        directory: directoryOf(this.#options.hello.file),
        certificates,
        acme: this.#certificates.had.answers,
        live: this.#live.pools,
        resolve: (pool, index) => this.#places.of(pool, index) ?? this.#addressesAt(config, own, pool, index),
      });
    } catch (error) {
      return { problem: reasonOf(error) };
    }
  }

  /** What a name leads to is not known when the configuration is checked. */
  #addressesAt(config: Config, own: OwnAddresses, pool: string, index: number): Address[] {
    const all = addressesAt(config, pool, index, (name) => this.#discovery.members(name));
    const good = all.filter((address) => !isAdminAddress(config, address, own));
    if (good.length < all.length) {
      const { name = "" } = config.pools[pool]?.servers[index] ?? {};
      this.#log.warning("a server is the admin address, which is not for clients", { pool, server: name });
    }
    return good;
  }

  async #takenAddresses(snapshot: Snapshot, config: Config): Promise<string[]> {
    const current = this.#inForce.snapshot;
    // One that is restarted, or takes over, has what was its node's own, and nobody to be afraid of.
    if (current === null && !this.#options.hello.exclusive) return [];
    const ours = current === null || this.#config === null ? [] : bindsOf(current, this.#config);
    return await checkBinds(newBinds(bindsOf(snapshot, config), ours));
  }
}

function adminAddress({ admin }: Config, files: TlsFiles): AdminAddress | null {
  if (admin === undefined) return null;
  const { bind, token = null, tls } = admin;
  return { ...bind, token, certificate: tls === undefined ? null : files.certificate(tls.cert, tls.key) };
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
