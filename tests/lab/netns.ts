/**
 * A LAN of network namespaces on one bridge, for tests that need real interfaces: nodes, clients and servers by name.
 *
 * Every lab has a prefix of its own and all its devices live inside its namespaces, so labs run side by side and
 * nothing touches the root namespace. `await using` takes it down again, with whatever still runs in it.
 */
import { requireTool } from "./tools.ts";

const NET = "10.77.0";
const NET6 = "fd77::";
let labs = 0;

/** What lab tests need; pass it to `labTest`. */
export const LAB_NEEDS = ["root", "namespaces", "ip"] as const;

export interface Result {
  readonly success: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

export class Lab implements AsyncDisposable {
  readonly #names: readonly string[];
  readonly #children = new Set<Deno.ChildProcess>();

  private constructor(readonly prefix: string, names: readonly string[]) {
    this.#names = names;
  }

  /** Builds the switch and one namespace a name; `eth0` of the n-th has 10.77.0.(10 + n) and fd77::(10 + n). */
  static async create(...names: string[]): Promise<Lab> {
    return await Lab.named(`tandem-${Deno.pid}-${++labs}`, ...names);
  }

  /** The same below a prefix that nothing else on the machine has. */
  static async named(prefix: string, ...names: string[]): Promise<Lab> {
    const lab = new Lab(prefix, names);
    try {
      await lab.#build();
      return lab;
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
  }

  address(name: string): string {
    return `${NET}.${11 + this.#names.indexOf(name)}`;
  }

  address6(name: string): string {
    return `${NET6}${11 + this.#names.indexOf(name)}`;
  }

  namespace(name: string): string {
    return `${this.prefix}-${name}`;
  }

  /** Runs a program in a node's namespace to its end. */
  async run(name: string, command: string, ...args: string[]): Promise<Result> {
    return await output("ip", ["netns", "exec", this.namespace(name), command, ...args]);
  }

  /** As `run`, and throws with what was printed when it fails; otherwise the output. */
  async must(name: string, command: string, ...args: string[]): Promise<string> {
    return checked(await this.run(name, command, ...args), [command, ...args]);
  }

  /** Runs `ip` in a node's namespace. */
  async ip(name: string, ...args: string[]): Promise<string> {
    return checked(await output("ip", ["-n", this.namespace(name), ...args]), ["ip", ...args]);
  }

  /** The MAC of a node's link on the bridge. */
  async mac(name: string): Promise<string> {
    return /link\/ether (\S+)/.exec(await this.ip(name, "link", "show", "eth0"))?.[1] ?? "none";
  }

  /** The MAC that a node's neighbour table has for an address. */
  async neighbour(name: string, address: string): Promise<string> {
    return /lladdr (\S+)/.exec(await this.ip(name, "neighbour", "show", address))?.[1] ?? "none";
  }

  /** Starts a Deno program, a file beside this one, in a node's namespace. */
  deno(name: string, script: string, ...args: string[]): Deno.ChildProcess {
    return this.start(name, [...denoCommand(script), ...args]);
  }

  /** Starts a program in a node's namespace; it is killed with the lab at the latest. */
  start(name: string, command: readonly string[]): Deno.ChildProcess {
    const child = new Deno.Command(tool("ip"), {
      args: ["netns", "exec", this.namespace(name), ...command],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#children.add(child);
    child.status.then(() => this.#children.delete(child));
    return child;
  }

  /** Connects these nodes to a second LAN by `eth1`, on which their addresses are 10.78.0.x and fd78::x. */
  async second(...names: readonly string[]): Promise<void> {
    await this.#batch("switch", [
      "link add br1 type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
      "link set br1 up",
      ...names.flatMap((name) => [
        `link add ${port(name, "eth1")} type veth peer name eth1 netns ${this.namespace(name)}`,
        `link set ${port(name, "eth1")} master br1 up`,
      ]),
    ]);
    for (const name of names) {
      await this.#batch(name, [
        "link set eth1 up",
        `address add ${this.address(name).replace("10.77.", "10.78.")}/24 dev eth1`,
        `address add ${this.address6(name).replace("fd77:", "fd78:")}/64 dev eth1 nodad`,
      ]);
    }
  }

  /**
   * Another LAN in the place of the bridge, for measurements: macvlans on one wire, the least that frames between
   * namespaces can cost, as a real switch takes nothing of a node's time. It has no cables to pull.
   */
  async onOneWire(): Promise<void> {
    await this.#batch("switch", [
      "link add wire type veth peer name end",
      "link set wire up",
      "link set end up",
    ]);
    for (const name of this.#names) {
      await this.ip(name, "link", "del", "eth0");
      await this.#batch("switch", [
        `link add link wire name ${port(name)} type macvlan mode bridge`,
        `link set ${port(name)} netns ${this.namespace(name)} name eth0`,
      ]);
      await this.#batch(name, this.#eth0(name));
    }
  }

  /** Pulls the cable: the node loses its carrier. */
  async cut(name: string, device = "eth0"): Promise<void> {
    await this.ip("switch", "link", "set", port(name, device), "down");
  }

  /** Plugs it in again. */
  async heal(name: string, device = "eth0"): Promise<void> {
    await this.ip("switch", "link", "set", port(name, device), "up");
  }

  /** A silent partition: the switch drops the node's frames, its carrier stays. */
  async part(name: string, on: boolean): Promise<void> {
    await this.ip("switch", "link", "set", port(name), ...(on ? ["nomaster"] : ["master", "br0"]));
  }

  /** Drops some of the UDP and VRRP packets that reach a node; 0 ends it. Needs `nft`. */
  async loss(name: string, percent: number): Promise<void> {
    const chance = percent < 100 ? `numgen random mod 100 < ${percent}` : "";
    const table = "add table inet lab\ndelete table inet lab\n" +
      `table inet lab { chain in { type filter hook input priority 0; ` +
      `meta l4proto { udp, 112 } ${chance} drop; }; }\n`;
    const args = ["netns", "exec", this.namespace(name), tool("nft"), "-f", "-"];
    checked(await output("ip", args, table), ["nft"]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) killed(child);
    await Promise.all([...this.#children].map((child) => child.status));
    for (const name of [...this.#names, "switch"]) {
      const namespace = this.namespace(name);
      // Only what runs inside this namespace: children of children, say.
      const { stdout } = await output("ip", ["netns", "pids", namespace]);
      for (const pid of stdout.split("\n").filter((line) => line !== "")) killed({ pid: Number(pid) });
      await output("ip", ["netns", "del", namespace]);
    }
  }

  async #build(): Promise<void> {
    const names = ["switch", ...this.#names];
    for (const name of names) {
      checked(await output("ip", ["netns", "add", this.namespace(name)]), ["netns add"]);
    }
    // Addresses are usable at once: no duplicate detection.
    const settings = "for kind in all default; do echo 0 > /proc/sys/net/ipv6/conf/$kind/accept_dad; done";
    for (const name of names) await this.must(name, "sh", "-c", settings);
    // A switch looks at no packet's inside; a kernel with br_netfilter shows them to its IP filters otherwise.
    const plain = "for one in /proc/sys/net/bridge/bridge-nf-call-*; do [ ! -e $one ] || echo 0 > $one; done";
    await this.must("switch", "sh", "-c", plain);
    await this.#batch("switch", [
      "link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
      "link set br0 up",
    ]);
    for (const name of this.#names) {
      await this.#batch("switch", [
        `link add ${port(name)} type veth peer name eth0 netns ${this.namespace(name)}`,
        `link set ${port(name)} master br0 up`,
      ]);
      await this.#batch(name, ["link set lo up", ...this.#eth0(name)]);
    }
  }

  #eth0(name: string): string[] {
    return [
      "link set eth0 up",
      `address add ${this.address(name)}/24 dev eth0`,
      `address add ${this.address6(name)}/64 dev eth0 nodad`,
    ];
  }

  async #batch(name: string, lines: readonly string[]): Promise<void> {
    const result = await output("ip", ["-n", this.namespace(name), "-batch", "-"], lines.join("\n") + "\n");
    checked(result, ["ip -batch"]);
  }
}

/** The command that runs a Deno program, a file beside this one. */
export function denoCommand(script: string): string[] {
  const beside = (path: string) => new URL(path, import.meta.url).pathname;
  const flags = [
    "--quiet",
    "--no-check",
    "--no-prompt",
    "--allow-all",
    `--config=${beside("../../deno.json")}`,
  ];
  return [Deno.execPath(), "run", ...flags, beside(script)];
}

/** The switch's end of a node's cable; interface names have 15 characters. */
function port(name: string, device = "eth0"): string {
  return `${device === "eth0" ? "p" : "q"}-${name}`.slice(0, 15);
}

function tool(name: string): string {
  const found = requireTool(name);
  if ("skip" in found) throw new Error(`Cannot build a lab: it ${found.skip}`);
  return found.path;
}

async function output(command: string, args: readonly string[], input = ""): Promise<Result> {
  const child = new Deno.Command(tool(command), {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  // A program that ended without reading tells why in its output.
  await writer.write(new TextEncoder().encode(input)).catch(() => undefined);
  await writer.close().catch(() => undefined);
  const { success, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { success, stdout: text(stdout), stderr: text(stderr) };
}

function checked(result: Result, command: readonly string[]): string {
  if (result.success) return result.stdout;
  throw new Error(`${command.join(" ")} failed: ${result.stderr.trim()} ${result.stdout.trim()}`);
}

/** SIGKILL; one that has ended already is not a failure. */
function killed({ pid }: { readonly pid: number }): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}
