/**
 * A whole node under test, started as a user starts it: its file, its processes, its admin address.
 *
 * Scenarios wait for events and numbers of the node itself; the only clock here is the one that ends a wait which
 * would otherwise last forever.
 */
import { freePort, freePorts, openFiles, tree } from "../../bench/process_io.ts";
import type { ListenerStatus, NodeStatus, ServerStatus } from "../../mod/observe/status.ts";
import { parseExposition, type ReadFamily } from "../observe/parse_exposition.ts";
import { Program } from "../runtime/process.ts";

const PROGRAM = new URL("../../main.ts", import.meta.url).pathname;
/** As the task `tandem` of deno.json. */
const FLAGS = ["net", "read", "write", "env", "sys", "run", "ffi"].map((name) => `--allow-${name}`);
const RUN = ["run", "--quiet", "--no-prompt", ...FLAGS, PROGRAM];
/** Only so that a scenario that would hang forever fails instead. */
const PATIENCE_MS = 30_000;
const POLL_MS = 20;

export { freePort, freePorts };

export interface NodeOptions {
  /** Starts the node through another program, which must replace itself by the rest of its arguments. */
  readonly through?: (directory: string) => readonly string[];
  /** Of the admin address. */
  readonly token?: string;
}

export class Node implements AsyncDisposable {
  readonly program: Program;
  readonly file: string;
  readonly adminPort = freePort();

  readonly #token: string;

  private constructor(readonly directory: string, config: string, options: NodeOptions) {
    this.#token = options.token === undefined ? "" : `, token: ${options.token}`;
    this.file = `${directory}/tandem.yaml`;
    this.write(config);
    const run = [...RUN, "run", "--node", "n1", "-c", this.file];
    this.program = new Program(run, {
      socket: `${directory}/n1.sock`,
      env: { RUNTIME_DIRECTORY: directory, STATE_DIRECTORY: `${directory}/state` },
      ...(options.through === undefined ? {} : { through: options.through(directory) }),
    });
  }

  /** Runs until its configuration is in force. An admin address is added to the configuration. */
  static async start(config: string, options: NodeOptions = {}): Promise<Node> {
    const node = new Node(await Deno.makeTempDir({ prefix: "tandem-scenario-" }), config, options);
    try {
      await node.program.line("configuration in force");
      return node;
    } catch (error) {
      await node[Symbol.asyncDispose]();
      throw error;
    }
  }

  write(config: string): void {
    const admin = `bind: "127.0.0.1:${this.adminPort}"${this.#token}`;
    Deno.writeTextFileSync(this.file, `${config}\nadmin: { ${admin} }\n`);
  }

  /** Puts another configuration in force; fails when the node refuses it. */
  async reload(config: string): Promise<void> {
    const { generation } = await this.program.status();
    this.write(config);
    this.program.kill("SIGHUP");
    await this.program.until((status) => status.generation === (generation ?? 0) + 1);
  }

  /** Has the node do something, as a person at its machine does. After an `upgrade` the old program may be draining. */
  async command(...words: readonly string[]): Promise<{ code: number; said: string }> {
    const args = [...RUN, ...words, "--socket", this.program.socket];
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
    return { code, said: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
  }

  async balancerPid(): Promise<number> {
    const { balancer } = await this.program.until((status) => status.balancer.state === "running");
    return balancer.pid!;
  }

  async status(): Promise<NodeStatus> {
    return JSON.parse(await this.#ask("/status"));
  }

  async metrics(): Promise<Map<string, ReadFamily>> {
    return parseExposition(await this.#ask("/metrics"));
  }

  async listener(name: string): Promise<ListenerStatus> {
    return (await this.status()).listeners.find((each) => each.name === name)!;
  }

  async server(name: string): Promise<ServerStatus> {
    return serverOf(await this.status(), name);
  }

  /** The status once `wanted` holds of it. */
  async until(wanted: (status: NodeStatus) => boolean): Promise<NodeStatus> {
    let status: NodeStatus | null = null;
    await eventually(
      async () => wanted(status = await this.status()),
      () => `${JSON.stringify(status)}\n${this.program.text}`,
    );
    return status!;
  }

  /** Open files of the node's processes. */
  files(): number {
    return openFiles(this.program.pid);
  }

  /** Resident memory of the node's processes, in bytes. */
  memory(): number {
    return tree(this.program.pid).reduce((sum, pid) => sum + residentBytes(pid), 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program[Symbol.asyncDispose]();
    await Deno.remove(this.directory, { recursive: true });
  }

  async #ask(path: string): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${this.adminPort}${path}`, {
      headers: { connection: "close" },
    });
    return await response.text();
  }
}

/** Resident memory of one process; unlike PSS it is cheap to ask for, and shared pages hardly change. */
export function residentBytes(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1] ?? 0) * 1024;
  } catch {
    return 0; // It has ended meanwhile.
  }
}

export function serverOf({ pools }: NodeStatus, name: string): ServerStatus {
  return pools.flatMap(({ servers }) => servers).find((server) => server.name === name)!;
}

/** Waits until something holds; `told` says what was so instead. */
export async function eventually(
  holds: () => boolean | Promise<boolean>,
  told: () => unknown = () => "",
): Promise<void> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  while (!await Promise.resolve(holds()).catch(() => false)) {
    if (performance.now() > giveUpAt) throw new Error(`It never was so: ${told()}`);
    await pause(POLL_MS);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
