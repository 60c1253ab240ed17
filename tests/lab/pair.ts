/**
 * Two real nodes on one bridge, a client and two backends, each in a network namespace: what lab tests of the election
 * are about. Nodes are started as a user starts them; waits are for events, bounded only by the test's deadline.
 */
import type { ElectionStatus, InstanceStatus } from "../../mod/observe/election_status.ts";
import { askAdmin } from "../../mod/runtime/admin_socket_io.ts";
import { untilGone } from "../runtime/process.ts";
import { Lab } from "./netns.ts";

export const VIP = "10.77.0.100";
export const INSTANCE = "edge";
/** What the lab of a pair is made of. */
export const PAIR_NAMES = ["lb1", "lb2", "client", "s1", "s2"] as const;
const PROGRAM = new URL("../../main.ts", import.meta.url).pathname;
const FLAGS = ["net", "read", "write", "env", "sys", "run", "ffi"].map((name) => `--allow-${name}`);
/** The program as it runs from source. */
const SOURCE = [Deno.execPath(), "run", "--quiet", "--no-check", "--no-prompt", ...FLAGS, PROGRAM];
const POLL_MS = 20;

export type NodeName = "lb1" | "lb2";

interface Told {
  readonly pid: number;
  readonly generation: number | null;
  readonly balancer: { readonly pid: number | null; readonly state: string };
  readonly vrrp: ElectionStatus;
}

export class Pair implements AsyncDisposable {
  readonly #children = new Map<NodeName, Deno.ChildProcess>();
  readonly #backends = new Map<NodeName, Deno.ChildProcess>();

  private constructor(readonly lab: Lab, readonly directory: string, readonly program: readonly string[]) {}

  /**
   * Both nodes, well and agreed that lb1 owns the address. Each has a backend of its own, by its name.
   * A lab that is given has `PAIR_NAMES`, and is the pair's from then on. `program`: what to run instead of the source.
   */
  static async start(more = "", given?: Lab, program: readonly string[] = SOURCE): Promise<Pair> {
    const lab = given ?? await Lab.create(...PAIR_NAMES);
    const pair = new Pair(lab, await Deno.makeTempDir({ prefix: `${lab.prefix}-` }), program);
    try {
      pair.write(more);
      for (const node of ["lb1", "lb2"] as const) pair.serve(node);
      pair.run("lb1");
      // The first to come has the address, so that no move of choice is spent before the test begins.
      await pair.until("lb1", ({ state }) => state === "active");
      pair.run("lb2");
      await pair.settled("lb1");
      return pair;
    } catch (error) {
      await pair[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** One file for both; `more` are lines of the instance. lb1 balances over s1, lb2 over s2. */
  write(more = "", address = VIP, keys = `{ id: 1, secret: "a secret of the lab" }`): void {
    const server = (name: string) => `{ pools: { app: { servers: ["${this.lab.address(name)}:9000"] } } }`;
    Deno.writeTextFileSync(
      `${this.directory}/tandem.yaml`,
      `listeners: [{ name: web, bind: ":80", pool: app }]
pools:
  app:
    servers: ["${this.lab.address("s1")}:9000"]
    check: { type: http, path: /, interval: 200ms, timeout: 500ms, rise: 1, fall: 2 }
vrrp:
  instances:
    - name: ${INSTANCE}
      interface: eth0
      routerId: 51
      addresses: ["${address}/24"]
      owners: [lb1, lb2]
      advertInterval: 100ms
      keys: [${keys}]
      track: [{ pool: app }]
${more}
drainTimeout: 2s
nodes:
  lb1: ${server("s1")}
  lb2: ${server("s2")}
`,
    );
  }

  /** Starts the backend of a node, which answers with the node's name. */
  serve(node: NodeName): void {
    const child = this.lab.deno(backendOf(node), "answer_program.ts", node);
    void child.stdin.close();
    void child.stdout.cancel();
    this.#backends.set(node, child);
  }

  /** Kills the backend of a node. */
  async unserve(node: NodeName): Promise<void> {
    const child = this.#backends.get(node)!;
    child.kill("SIGKILL");
    await child.status;
  }

  /** Starts a node; `through` is a program and arguments that end in running what follows them in its place. */
  run(node: NodeName, ...through: string[]): void {
    const child = new Deno.Command("ip", {
      args: [
        ...["netns", "exec", this.lab.namespace(node), ...through],
        ...[...this.program, "run", "--node", node, "-c", `${this.directory}/tandem.yaml`],
      ],
      env: { RUNTIME_DIRECTORY: this.directory, NO_COLOR: "1" },
      stdin: "null",
      stdout: "null",
      stderr: Deno.env.has("TANDEM_LAB_LOG") ? "inherit" : "null",
    }).spawn();
    this.#children.set(node, child);
  }

  /** `ip netns exec` replaces itself, so this is the keeper. */
  signal(node: NodeName, signal: Deno.Signal): void {
    this.#children.get(node)!.kill(signal);
  }

  /** Has a node read the file again, and waits until it is in force. */
  async reload(node: NodeName): Promise<void> {
    const { generation } = await this.ask(node);
    this.signal(node, "SIGHUP");
    while ((await this.ask(node)).generation === generation) await pause(POLL_MS);
  }

  /** Has the program of a node take over from the one that runs; resolves when that has ended. `by`: what to run. */
  async upgrade(
    node: NodeName,
    ...by: readonly string[]
  ): Promise<{ readonly code: number; readonly said: string }> {
    const { pid } = await this.ask(node);
    const [command = "", ...args] = by.length > 0 ? by : this.program;
    const { code, stdout, stderr } = await new Deno.Command(command, {
      args: [...args, "upgrade", "--socket", `${this.directory}/${node}.sock`],
    }).output();
    if (code === 0) await untilGone(pid);
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, said: text(stdout) + text(stderr) };
  }

  /** Its exit code. */
  async ended(node: NodeName): Promise<number> {
    return (await this.#children.get(node)!.status).code;
  }

  async ask(node: NodeName): Promise<Told> {
    return await askAdmin(`${this.directory}/${node}.sock`, "/status", 5000) as Told;
  }

  async instance(node: NodeName): Promise<InstanceStatus> {
    const [instance] = (await this.ask(node)).vrrp.instances;
    if (instance === undefined) throw new Error(`${node} has no instance`);
    return instance;
  }

  /** Waits until an instance is so; a node that does not answer yet is not. */
  async until(node: NodeName, fits: (instance: InstanceStatus) => boolean): Promise<InstanceStatus> {
    for (;;) {
      const instance = await this.instance(node).catch(() => null);
      if (instance !== null && fits(instance)) return instance;
      await pause(POLL_MS);
    }
  }

  /** Waits until both are well, one owns the address, the other is backup, and the kernel and clients agree. */
  async settled(owner: NodeName): Promise<void> {
    const other = otherThan(owner);
    await this.until(owner, ({ state, health }) => state === "active" && health === 100);
    await this.until(
      other,
      ({ state, health, peers }) =>
        state === "backup" && health === 100 && peers.some(({ health }) => health === 100),
    );
    await this.holds(owner, true);
    await this.holds(other, false);
    await this.answers(owner);
  }

  /** Waits until the kernel of a node has the address, or has it not. */
  async holds(node: NodeName, wanted: boolean): Promise<void> {
    while (await this.holdsNow(node) !== wanted) await pause(POLL_MS);
  }

  async holdsNow(node: NodeName): Promise<boolean> {
    return (await this.lab.ip(node, "address", "show", "dev", "eth0")).includes(` ${VIP}/`);
  }

  /** Waits until the client's requests for the address are answered through a node. */
  async answers(node: NodeName): Promise<void> {
    while (await this.request() !== node) await pause(POLL_MS);
  }

  /** Through which node a request for the address was answered; empty: it was not. */
  async request(): Promise<string> {
    const { stdout } = await this.lab.run("client", "curl", "-s", "-m", "1", `http://${VIP}/`);
    return stdout.trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children.values()) {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended.
      }
    }
    await Promise.all([...this.#children.values()].map((child) => child.status));
    await this.lab[Symbol.asyncDispose]();
    await Deno.remove(this.directory, { recursive: true });
  }
}

export function otherThan(node: NodeName): NodeName {
  return node === "lb1" ? "lb2" : "lb1";
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function backendOf(node: NodeName): string {
  return node === "lb1" ? "s1" : "s2";
}
