/**
 * What a keeper holds of the machine for its node: the admin socket with the proof that there is one keeper, kernel
 * settings that it has changed, the rules by which the kernel forwards, the election with its addresses, and the line to
 * the service manager.
 *
 * All of it is taken at the start and let go at the end, or it goes from one keeper to another of the same node and
 * back, so that nobody outside notices. It knows no balancer and not how two keepers talk.
 */
import type { Log } from "../observe/log.ts";
import { AdminSocket } from "./admin_socket_io.ts";
import type { KernelPlan } from "../kernel/plan.ts";
import type { ElectionSettings } from "./election.ts";
import type { CarriedElection, Election } from "./election_io.ts";
import type { KernelPlane } from "./kernel_plane_io.ts";
import { ServiceManager } from "./sdnotify_io.ts";
import type { SocketHandler } from "./socket_server_io.ts";
import { MIGRATE_REQUESTS, Sysctls } from "./sysctl_io.ts";
import { type CarriedKeeper, readCarriedKeeper } from "./upgrade_link.ts";

const NO_ELECTION: ElectionSettings = { instances: [], startupDelayMs: 0, configHash: 0n };

export interface HoldingsOptions {
  readonly socketPath: string;
  readonly answer: SocketHandler;
  readonly makeElection: (sysctls: Sysctls, carried?: CarriedElection) => Election;
  readonly kernel: KernelPlane;
  readonly service: ServiceManager | null;
  readonly log: Log;
}

export class Holdings {
  readonly #options: HoldingsOptions;
  readonly #sysctls = new Sysctls();
  #socket: AdminSocket | null = null;
  #election: Election;
  #service: ServiceManager | null;
  #settings: ElectionSettings = NO_ELECTION;
  #plan: KernelPlan | null = null;
  /** While it is let go: what there is to take back. */
  #letGo: CarriedElection | null = null;
  #taken: CarriedKeeper | null = null;
  #owner: "nobody" | "this keeper" | "another" = "nobody";

  constructor(options: HoldingsOptions) {
    this.#options = options;
    this.#service = options.service;
    this.#election = options.makeElection(this.#sysctls);
  }

  get election(): Election {
    return this.#election;
  }

  /** Null: nobody is to be told, or not by this keeper. */
  get service(): ServiceManager | null {
    return this.#service;
  }

  /** Takes the node, or says who has it. */
  async open(): Promise<string | null> {
    const { socketPath, answer, log } = this.#options;
    const opened = await AdminSocket.open(socketPath, answer);
    if ("problem" in opened) return opened.problem;
    this.#socket = opened.socket;
    const problem = this.#sysctls.set(MIGRATE_REQUESTS, "1");
    if (problem !== null) {
      log.warning(`${problem}; a reload or an upgrade may reset connections that are being made`);
    }
    this.#owner = "this keeper";
    return null;
  }

  /** The election and the kernel's rules are to be these, as soon as this keeper has the node. */
  reconcile(settings: ElectionSettings, plan: KernelPlan): void {
    this.#settings = settings;
    this.#plan = plan;
    if (this.#owner !== "this keeper" || this.#letGo !== null) return;
    this.#options.kernel.configure(plan);
    void this.#election.reconcile(settings);
  }

  /** Nothing is decided here any more, and another keeper may take the node with this document. Rejects: not now. */
  async letGo(): Promise<string> {
    const election = await this.#election.freeze();
    if ("problem" in election) throw new Error(election.problem);
    this.#letGo = election;
    await this.#options.kernel.freeze();
    this.#socket?.release();
    const service = this.#service?.carried ?? null;
    return JSON.stringify({ election, sysctls: this.#sysctls.changed, service });
  }

  /** The keeper that was to take the node is no more. */
  async takeBack(): Promise<void> {
    const voices = this.#election.voices();
    const carried = { ...this.#letGo!, voices };
    await this.#election.release();
    const problem = await this.open();
    if (problem !== null) this.#options.log.error(problem);
    this.#letGo = null;
    this.#options.kernel.thaw();
    this.#election = this.#options.makeElection(this.#sysctls, carried);
    await this.#election.reconcile(this.#settings);
  }

  /** Another keeper has it. */
  async giveTo(pid: number): Promise<void> {
    this.#owner = "another";
    this.#sysctls.forget();
    this.#service?.handOver(pid);
    this.#service = null;
    await this.#election.release();
  }

  /**
   * Takes the node from the keeper before, which has let go of it. Throws what is in the way: then that one takes it
   * back.
   */
  async take(document: string): Promise<void> {
    const carried = this.#taken = readCarriedKeeper(document);
    this.#sysctls.adopt(carried.sysctls);
    try {
      await this.#take(carried);
    } catch (error) {
      this.#sysctls.forget();
      this.#owner = "another";
      await this.#options.kernel.freeze();
      await this.#election.freeze();
      await this.#election.release();
      throw error;
    }
  }

  /** The service manager knows by now that this is the node, and listens to it. */
  beHeard(): void {
    this.#service = this.#taken?.service ? ServiceManager.at(this.#taken.service, this.#options.log) : null;
  }

  /** Gives the addresses up, puts back what was changed, and ends. What another has is left alone. */
  async close(): Promise<void> {
    if (this.#owner === "this keeper") {
      await this.#election.stop();
      await this.#options.kernel.stop();
    }
    for (const left of this.#sysctls.restore()) this.#options.log.warning(left);
    await this.#socket?.close();
  }

  async #take({ election }: CarriedKeeper): Promise<void> {
    const problem = await this.open();
    if (problem !== null) throw new Error(problem);
    const { kernel, makeElection } = this.#options;
    kernel.goOn();
    if (this.#plan !== null) kernel.configure(this.#plan);
    // Listeners that the kernel forwards count in the election.
    await kernel.settled();
    this.#election = makeElection(this.#sysctls, election);
    await this.#election.reconcile(this.#settings);
    for (const { name, state, why } of this.#election.status().instances) {
      if (election.instances[name]?.state === "active" && state !== "active") {
        throw new Error(`${name} would lose its addresses: ${why}`);
      }
    }
  }
}
