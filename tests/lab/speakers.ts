/**
 * Speakers of VRRP itself in a lab: Tandem, keepalived and FRR, each in a network namespace, and what they say, read by
 * tshark. Waits are for events, bounded only by the test's deadline.
 */
import type { InstanceStatus } from "../../mod/observe/election_status.ts";
import { askAdmin } from "../../mod/runtime/admin_socket_io.ts";
import { Lab } from "./netns.ts";
import { requireTool } from "./tools.ts";

const PROGRAM = new URL("../../main.ts", import.meta.url).pathname;
const FLAGS = ["net", "read", "write", "env", "sys", "run", "ffi"].map((name) => `--allow-${name}`);
const POLL_MS = 20;
/** A little longer than tcpdump takes to write a packet down. */
const WRITTEN_MS = 100;

/** One virtual router, the same for all that take part. */
export interface Router {
  readonly id: number;
  readonly version: 2 | 3;
  readonly intervalMs: number;
  readonly addresses: readonly string[];
  readonly password?: string;
  /** This node and the other, where they are named. */
  readonly unicast?: readonly [own: string, peer: string];
  /** On both sides. */
  readonly virtualMac?: boolean;
  /** Without: eth0. */
  readonly device?: string;
  /** Addresses that move with the others and are not advertised. */
  readonly unadvertised?: readonly string[];
}

/** What one of them makes of it. */
export interface Part {
  readonly priority: number;
  readonly preempt?: boolean;
  readonly intervalMs?: number;
  /** All are in one sync group. */
  readonly synced?: boolean;
}

/** A packet as tshark reads it. */
export interface Heard {
  readonly atMs: number;
  readonly source: string;
  /** Of the sender, as Ethernet has it. */
  readonly mac: string;
  readonly ttl: number;
  readonly version: number;
  readonly id: number;
  readonly priority: number;
  /** tshark says that the checksum is right. */
  readonly good: boolean;
}

export class Speakers implements AsyncDisposable {
  readonly #children = new Map<string, Deno.ChildProcess>();

  private constructor(readonly lab: Lab, readonly directory: string) {}

  static async start(...names: string[]): Promise<Speakers> {
    const lab = await Lab.create(...names);
    return new Speakers(lab, await Deno.makeTempDir({ prefix: `${lab.prefix}-` }));
  }

  /** Writes a Tandem's file; a running one reads it at `reload`. */
  write(node: string, routers: readonly Router[], part: Part, more = ""): void {
    const instances = routers.map((
      { id, version, intervalMs, addresses, password, unicast, virtualMac, device = "eth0", unadvertised },
    ) =>
      "    - { " + [
        `name: r${id}, interface: ${device}, routerId: ${id}, transport: vrrp${version}, priority: ${part.priority}`,
        `advertInterval: ${part.intervalMs ?? intervalMs}ms, preempt: ${part.preempt ?? true}`,
        `addresses: [${addresses.map((address) => `"${address}"`).join(", ")}]`,
        ...unadvertised === undefined ? [] : [`unadvertised: ${JSON.stringify(unadvertised)}`],
        ...password === undefined ? [] : [`password: ${password}`],
        ...virtualMac === true ? ["virtualMac: true"] : [],
        ...part.synced === true ? ["syncGroup: g"] : [],
        ...unicast === undefined ? [] : [`peers: ["${unicast[1]}"]`],
        ...more === "" ? [] : [more],
      ].join(", ") + " }\n"
    );
    Deno.writeTextFileSync(
      `${this.directory}/${node}.yaml`,
      `listeners: [{ name: web, bind: ":80", pool: app }]\npools: { app: { servers: ["127.0.0.1:9"] } }\n` +
        `drainTimeout: 100ms\nvrrp:\n  instances:\n${instances.join("")}`,
    );
  }

  /** Starts a Tandem with the file that was written. */
  tandem(node: string, ...through: string[]): void {
    const run = [Deno.execPath(), "run", "--quiet", "--no-check", "--no-prompt", ...FLAGS, PROGRAM, "run"];
    this.#spawn(node, [...through, ...run, "--node", node, "-c", `${this.directory}/${node}.yaml`]);
  }

  /** Starts a keepalived. */
  keepalived(node: string, routers: readonly Router[], part: Part): void {
    const blocks = routers.map((
      { id, version, intervalMs, addresses, password, unicast, virtualMac, device = "eth0", unadvertised },
    ) =>
      [
        `vrrp_instance r${id} {`,
        `  state BACKUP\n  interface ${device}`,
        `  virtual_router_id ${id}\n  version ${version}\n  priority ${part.priority}`,
        `  advert_int ${(part.intervalMs ?? intervalMs) / 1000}`,
        part.preempt === false ? "  nopreempt" : "",
        virtualMac === true ? "  use_vmac" : "",
        password === undefined
          ? ""
          : `  authentication {\n    auth_type PASS\n    auth_pass ${password}\n  }`,
        unicast === undefined
          ? ""
          : `  unicast_ttl 255\n  unicast_src_ip ${unicast[1]}\n  unicast_peer {\n    ${unicast[0]}\n  }`,
        unadvertised === undefined
          ? ""
          : `  virtual_ipaddress_excluded {\n    ${unadvertised.join("\n    ")}\n  }`,
        `  virtual_ipaddress {\n    ${addresses.join("\n    ")}\n  }\n}\n`,
      ].join("\n")
    );
    if (part.synced === true) {
      const names = routers.map(({ id }) => `r${id}`).join("\n    ");
      blocks.push(`vrrp_sync_group g {\n  group {\n    ${names}\n  }\n}\n`);
    }
    const base = `${this.directory}/${node}`;
    Deno.writeTextFileSync(`${base}.conf`, `global_defs {\n  router_id ${node}\n}\n${blocks.join("")}`);
    const pids = ["-p", `${base}.pid`, "-r", `${base}.vrrp.pid`];
    this.#spawn(node, [tool("keepalived"), "-n", "-l", "-D", "-P", "-f", `${base}.conf`, ...pids]);
  }

  /** Starts FRR's zebra and vrrpd, with the macvlan interfaces that vrrpd looks for. */
  async frr(node: string, routers: readonly Router[], part: Part): Promise<void> {
    const base = `${this.directory}/${node}`;
    const lines = ["interface eth0"];
    for (const { id, version, intervalMs, addresses } of routers) {
      const six = addresses[0]!.includes(":");
      const device = `vrrp${six ? 6 : 4}-${id}`;
      const mac = `00:00:5e:00:0${six ? 2 : 1}:${id.toString(16).padStart(2, "0")}`;
      await this.lab.ip(node, "link", "add", device, "link", "eth0", "type", "macvlan", "mode", "bridge");
      await this.lab.ip(node, "link", "set", device, "address", mac);
      for (const address of addresses) {
        await this.lab.ip(node, "address", "add", address, "dev", device, ...(six ? ["nodad"] : []));
      }
      await this.lab.ip(node, "link", "set", device, "up");
      lines.push(` vrrp ${id} version ${version}`, ` vrrp ${id} priority ${part.priority}`);
      lines.push(` vrrp ${id} advertisement-interval ${intervalMs}`);
      for (const address of addresses) {
        lines.push(` vrrp ${id} ${six ? "ipv6" : "ip"} ${address.replace(/\/.*/, "")}`);
      }
    }
    // It gives root up, and writes its sockets as a user of its own.
    const own = `${base}.frr`;
    Deno.mkdirSync(own);
    Deno.writeTextFileSync(`${own}/vrrpd.conf`, lines.join("\n") + "\n");
    Deno.writeTextFileSync(`${own}/zebra.conf`, "");
    await this.lab.must(node, "chown", "-R", "frr:frr", own);
    Deno.chmodSync(this.directory, 0o711);
    for (const name of ["zebra", "vrrpd"]) {
      const places = ["-z", `${own}/zserv`, "--vty_socket", own, "-i", `${own}/${name}.pid`];
      this.#spawn(`${node} ${name}`, [tool(name), ...places, "-P", "0", "-f", `${own}/${name}.conf`]);
      while (name === "zebra" && !exists(`${own}/zserv`)) await pause(POLL_MS);
    }
  }

  /** Ends a speaker, and waits until it has ended. */
  async end(name: string, signal: Deno.Signal): Promise<void> {
    const child = this.#children.get(name)!;
    this.#children.delete(name);
    if (signal === "SIGKILL") await this.#kill(name, child);
    else child.kill(signal);
    await child.status;
  }

  /** Has a Tandem read its file again, and waits until it is in force. */
  async reload(node: string): Promise<void> {
    const generation = async () =>
      (await askAdmin(this.#socket(node), "/status", 5000) as { generation: number }).generation;
    const before = await generation();
    this.#children.get(node)!.kill("SIGHUP");
    while (await generation() === before) await pause(POLL_MS);
  }

  /** Has a Tandem do something by its admin socket. */
  async ask(node: string, request: string): Promise<void> {
    await askAdmin(this.#socket(node), request, 5000, "POST");
  }

  async instances(node: string): Promise<readonly InstanceStatus[]> {
    const told = await askAdmin(this.#socket(node), "/status", 5000);
    return (told as { vrrp: { instances: readonly InstanceStatus[] } }).vrrp.instances;
  }

  /** Waits until all instances of a Tandem are so; one that does not answer yet is not. */
  async until(node: string, fits: (instance: InstanceStatus) => boolean): Promise<readonly InstanceStatus[]> {
    for (;;) {
      const instances = await this.instances(node).catch(() => []);
      if (instances.length > 0 && instances.every(fits)) return instances;
      await pause(POLL_MS);
    }
  }

  /** Waits until a node's kernel has all addresses, or none of them. */
  async holds(node: string, routers: readonly Router[], wanted: boolean): Promise<void> {
    for (;;) {
      const text = await this.lab.ip(node, "address", "show");
      const has = routers.flatMap(({ addresses, unadvertised = [] }) => [...addresses, ...unadvertised])
        .map((address) => text.includes(` ${address.replace(/\/.*/, "")}/`));
      if (has.every((one) => one === wanted)) return;
      await pause(POLL_MS);
    }
  }

  /** `tandem vip clean`; what it says. */
  async clean(node: string): Promise<string> {
    const run = [Deno.execPath(), "run", "--quiet", "--no-check", "--no-prompt", ...FLAGS, PROGRAM];
    const args = ["vip", "clean", "--node", node, "-c", `${this.directory}/${node}.yaml`];
    return await this.lab.must(node, "env", `RUNTIME_DIRECTORY=${this.directory}`, ...run, ...args);
  }

  /** Writes down all packets of VRRP that a node sends and hears, until `read`. */
  async record(node: string): Promise<{ read(): Promise<Heard[]> }> {
    const file = `${this.directory}/${node}.pcap`;
    const filter = "ip proto 112 or ip6 proto 112";
    const command = [
      tool("tcpdump"),
      "-q",
      "-Z",
      "root",
      "-i",
      "eth0",
      "-U",
      "--immediate-mode",
      "-w",
      file,
      filter,
    ];
    this.#spawn(`${node} tcpdump`, command);
    // The file's header is written when tcpdump listens.
    while (!exists(file) || Deno.statSync(file).size < 24) await pause(POLL_MS);
    return {
      read: async () => {
        await pause(WRITTEN_MS);
        await this.end(`${node} tcpdump`, "SIGTERM");
        return await decoded(file);
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const [name, child] of this.#children) await this.#kill(name, child);
    await Promise.all([...this.#children.values()].map((child) => child.status));
    await this.lab[Symbol.asyncDispose]();
    await Deno.remove(this.directory, { recursive: true });
  }

  #socket(node: string): string {
    return `${this.directory}/${node}.sock`;
  }

  /** With its children: all of it dies at one moment. */
  async #kill(name: string, child: Deno.ChildProcess): Promise<void> {
    const { stdout } = await this.lab.run(name.split(" ")[0]!, "pgrep", "-P", String(child.pid));
    for (const pid of [child.pid, ...stdout.split("\n").filter((line) => line !== "").map(Number)]) {
      try {
        Deno.kill(pid, "SIGKILL");
      } catch {
        // It has ended.
      }
    }
  }

  #spawn(name: string, command: readonly string[]): void {
    const shown = Deno.env.has("TANDEM_LAB_LOG") ? "inherit" : "null";
    const child = new Deno.Command("ip", {
      args: ["netns", "exec", this.lab.namespace(name.split(" ")[0]!), ...command],
      env: { RUNTIME_DIRECTORY: this.directory, NO_COLOR: "1" },
      stdin: "null",
      stdout: shown,
      stderr: shown,
    }).spawn();
    this.#children.set(name, child);
  }
}

/** What tshark reads in a recording. */
async function decoded(file: string): Promise<Heard[]> {
  const fields = ["frame.time_epoch", "ip.src", "ipv6.src", "ip.ttl", "ipv6.hlim", "vrrp.version"];
  fields.push("vrrp.virt_rtr_id", "vrrp.prio", "vrrp.checksum.status", "_ws.malformed", "eth.src");
  const { stdout } = await new Deno.Command(tool("tshark"), {
    args: ["-r", file, "-T", "fields", ...fields.flatMap((field) => ["-e", field])],
    stderr: "null",
  }).output();
  return new TextDecoder().decode(stdout).split("\n").filter((line) => line !== "").map((line) => {
    const [at, v4, v6, ttl, hops, version, id, priority, checksum, malformed, mac] = line.split("\t");
    return {
      atMs: Number(at) * 1000,
      source: v4 || v6 || "",
      mac: mac ?? "",
      ttl: Number(ttl || hops),
      version: Number(version),
      id: Number(id),
      priority: Number(priority),
      good: checksum === "1" && !malformed,
    };
  });
}

function tool(name: string): string {
  const found = requireTool(name);
  if ("skip" in found) throw new Error(`Cannot start it: it ${found.skip}`);
  return found.path;
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
