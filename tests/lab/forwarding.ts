/**
 * Nodes that forward in the kernel, a client, and nginx on servers that answer with their names and the client's
 * address, each in a network namespace. Waits are for what a node says or a client sees, bounded by the test's deadline.
 */
import { nginxPaths } from "../../bench/backends_io.ts";
import type { ElectionStatus } from "../../mod/observe/election_status.ts";
import type { ForwardedServer, KernelStatus } from "../../mod/observe/kernel_status.ts";
import { askAdmin } from "../../mod/runtime/admin_socket_io.ts";
import { Lab } from "./netns.ts";
import { pause } from "./pair.ts";
import { requireTool } from "./tools.ts";

export const VIP = "10.77.0.100";
export const VIP6 = "fd77::100";
const PROGRAM = new URL("../../main.ts", import.meta.url).pathname;
const FLAGS = ["net", "read", "write", "env", "sys", "run", "ffi"].map((name) => `--allow-${name}`);
const SOURCE = [Deno.execPath(), "run", "--quiet", "--no-check", "--no-prompt", ...FLAGS, PROGRAM];
const POLL_MS = 20;
/** Bytes of every server's `/files/big`. */
export const BIG = 200_000;

interface Told {
  readonly generation: number | null;
  readonly balancer: { readonly pid: number | null; readonly restarts: number };
  readonly kernel: KernelStatus;
  readonly vrrp: ElectionStatus;
}

export class Forwarding implements AsyncDisposable {
  readonly #nodes = new Map<string, Deno.ChildProcess>();
  readonly #servers = new Map<string, Deno.ChildProcess>();

  private constructor(readonly lab: Lab, readonly directory: string) {}

  /** A lab of nodes and servers beside a client; no node runs yet. Nodes may forward, and the first has the VIPs. */
  static async create(nodes: readonly string[], servers: readonly string[]): Promise<Forwarding> {
    const lab = await Lab.create("client", ...nodes, ...servers);
    const forwarding = new Forwarding(lab, await Deno.makeTempDir({ prefix: `${lab.prefix}-` }));
    try {
      for (const node of nodes) {
        for (const name of ["net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"]) {
          await lab.must(node, "sysctl", "-qw", `${name}=1`);
        }
      }
      await Promise.all(servers.map((server) => forwarding.serve(server)));
      return forwarding;
    } catch (error) {
      await forwarding[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Gives a node the addresses that clients use. */
  async own(node: string): Promise<void> {
    await this.lab.ip(node, "address", "add", `${VIP}/24`, "dev", "eth0");
    await this.lab.ip(node, "address", "add", `${VIP6}/64`, "dev", "eth0", "nodad");
  }

  get file(): string {
    return `${this.directory}/tandem.yaml`;
  }

  write(text: string): void {
    Deno.writeTextFileSync(this.file, text);
  }

  /** `10.77.0.13:8080`, quoted for the configuration. */
  server(name: string, port = 8080): string {
    return JSON.stringify(`${this.lab.address(name)}:${port}`);
  }

  /** Starts a server's nginx, on ports 8080 to 8082 of every address, and waits until it listens. */
  async serve(name: string): Promise<void> {
    const nginx = requireTool("nginx");
    if ("skip" in nginx) throw new Error(nginx.skip);
    const file = `${this.directory}/${name}.conf`;
    Deno.mkdirSync(`${this.directory}/${name}-files`, { recursive: true });
    Deno.writeFileSync(`${this.directory}/${name}-files/big`, new Uint8Array(BIG));
    Deno.writeTextFileSync(file, nginxConfig(`${this.directory}/${name}`, name));
    const child = this.lab.start(name, [nginx.path, "-e", "stderr", "-c", file]);
    void child.stdin.close();
    void child.stdout.cancel();
    this.#servers.set(name, child);
    while (!(await this.lab.run(name, "curl", "-s", "-m", "1", "http://127.0.0.1:8080/")).success) {
      await pause(POLL_MS);
    }
  }

  async unserve(name: string): Promise<void> {
    const child = this.#servers.get(name)!;
    child.kill("SIGKILL");
    await child.status;
  }

  /** From now on a node's own `nft` fails. */
  breakNft(node: string): void {
    Deno.writeTextFileSync(`${this.directory}/${node}.broken`, "");
  }

  run(node: string): void {
    const bin = `${this.directory}/${node}-bin`;
    Deno.mkdirSync(bin, { recursive: true });
    const broken = `[ ! -e ${this.directory}/${node}.broken ] || { echo it is broken >&2; exit 1; }`;
    const nft = `#!/bin/sh\n${broken}\nPATH=${"$"}{PATH#*:} exec nft "$@"\n`;
    Deno.writeTextFileSync(`${bin}/nft`, nft, { mode: 0o755 });
    const child = new Deno.Command("ip", {
      args: ["netns", "exec", this.lab.namespace(node), ...this.#command(node, "run", "-c", this.file)],
      env: { PATH: `${bin}:${Deno.env.get("PATH")}`, RUNTIME_DIRECTORY: this.directory, NO_COLOR: "1" },
      stdin: "null",
      stdout: "null",
      stderr: Deno.env.has("TANDEM_LAB_LOG") ? "inherit" : "null",
    }).spawn();
    this.#nodes.set(node, child);
  }

  /** Runs one command of the program on a node to its end; most want `-c` and the file. */
  tandem(node: string, ...words: string[]): ReturnType<Lab["run"]> {
    return this.lab.run(node, "env", `RUNTIME_DIRECTORY=${this.directory}`, ...this.#command(node, ...words));
  }

  /** A command of the program for a shell. */
  shell(...words: string[]): string {
    return [...SOURCE, ...words].join(" ");
  }

  #command(node: string, ...words: string[]): string[] {
    return [...SOURCE, ...words, "--node", node];
  }

  /** The processes of a node. */
  async pids(node: string): Promise<number[]> {
    const { balancer } = await this.until(node, ({ balancer }) => balancer.pid !== null);
    return [this.#nodes.get(node)!.pid, balancer.pid!];
  }

  /** Ends a node by a signal, and waits for its end. */
  async end(node: string, signal: Deno.Signal): Promise<number> {
    const child = this.#nodes.get(node)!;
    child.kill(signal);
    return (await child.status).code;
  }

  async reload(node: string): Promise<void> {
    const { generation } = await this.#ask(node);
    this.#nodes.get(node)!.kill("SIGHUP");
    while ((await this.#ask(node)).generation === generation) await pause(POLL_MS);
  }

  /** The servers of all listeners, as a node tells of them. */
  async servers(node: string): Promise<readonly ForwardedServer[]> {
    return (await this.#ask(node)).kernel.services.flatMap(({ servers }) => servers);
  }

  /** Waits until a node's rules are in force and its open servers are these, in the order of the file. */
  async open(node: string, ...names: string[]): Promise<void> {
    const wanted = names.map((name) => this.lab.address(name)).join();
    for (;;) {
      const told = await this.#ask(node).catch(() => null);
      const servers = told?.kernel.services[0]?.servers ?? [];
      const open = servers.filter((one) => one.open).map(({ address }) => address.replace(/:\d+$/, ""))
        .join();
      if (told?.kernel.problem === null && open === wanted && await this.#ruled(node)) return;
      await pause(POLL_MS);
    }
  }

  /** The table of a node; empty: there is none. */
  async rules(node: string): Promise<string> {
    return (await this.lab.run(node, "nft", "list", "ruleset")).stdout;
  }

  /** The name of the server that answers the client, and the address that it sees; empty: none answered. */
  async request(url = `http://${VIP}/`, from = "client"): Promise<string> {
    return (await this.lab.run(from, "curl", "-gs", "-m", "2", url)).stdout.trim();
  }

  /** How many of the answers to so many requests came from whom. */
  async spread(count: number, url?: string): Promise<Record<string, number>> {
    const names: Record<string, number> = {};
    for (let at = 0; at < count; at++) {
      const name = (await this.request(url)).split(" ")[0]!;
      names[name] = (names[name] ?? 0) + 1;
    }
    return names;
  }

  async #ruled(node: string): Promise<boolean> {
    return (await this.rules(node)).includes(`tandem_${node}`);
  }

  async #ask(node: string): Promise<Told> {
    return await askAdmin(`${this.directory}/${node}.sock`, "/status", 5000) as Told;
  }

  /** What a node tells, once it is so; a node that does not answer yet is not. */
  async until(node: string, fits: (told: Told) => boolean): Promise<Told> {
    for (;;) {
      const told = await this.#ask(node).catch(() => null);
      if (told !== null && fits(told)) return told;
      await pause(POLL_MS);
    }
  }

  /** Waits until a node holds the address, and is well. */
  async active(node: string): Promise<Told> {
    return await this.until(
      node,
      ({ vrrp }) => vrrp.instances.some(({ state, health }) => state === "active" && health === 100),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#nodes.values()) {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended.
      }
    }
    await Promise.all([...this.#nodes.values()].map((child) => child.status));
    await this.lab[Symbol.asyncDispose]();
    await Deno.remove(this.directory, { recursive: true });
  }
}

/** Connections that stay open, and tell who answers on each. */
export class HeldConnections {
  readonly #child: Deno.ChildProcess;
  readonly #out: ReadableStreamDefaultReader<string>;
  readonly #in: WritableStreamDefaultWriter<Uint8Array>;

  constructor(lab: Lab, host: string, port: number, count = 1) {
    this.#child = lab.deno("client", "held_client_program.ts", host, String(port), String(count));
    this.#out = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.#in = this.#child.stdin.getWriter();
  }

  /** Who answers one more request on each; "gone" where the connection has ended. */
  async ask(): Promise<string[]> {
    await this.#in.write(new TextEncoder().encode("\n"));
    const { value } = await this.#out.read();
    return (value ?? "").trim().split(",");
  }

  async close(): Promise<void> {
    await this.#in.close().catch(() => {});
    await this.#out.cancel();
    await this.#child.status;
  }
}

function nginxConfig(base: string, name: string): string {
  return `daemon off; master_process off; user root; pid ${base}.pid;
events {}
http {
  ${nginxPaths(base)}
  access_log off; keepalive_timeout 1d; keepalive_requests 1000000000;
  server {
    ${[8080, 8081, 8082].map((port) => `listen ${port}; listen [::]:${port};`).join(" ")}
    location /files/ { alias ${base}-files/; }
    location / { default_type text/plain; return 200 "${name} $remote_addr $server_port\\n"; }
  }
}
`;
}
