/**
 * The places of the layer-4 benchmark: one lab in which the same two servers are reached directly, through the kernel
 * (`dsr`, `nat`), through Tandem's proxy and through HAProxy, all at once and by the same client. The configurations
 * stand here in full, so that fairness can be judged.
 */
import { Forwarding, VIP } from "../tests/lab/forwarding.ts";
import { requireTool } from "../tests/lab/tools.ts";
import { load, type LoadResult } from "./load_io.ts";

export const WAYS = ["direct", "dsr", "nat", "proxy", "haproxy"] as const;
export type Way = typeof WAYS[number];

const SERVERS = ["s1", "s2"];
/** Where each way begins: of requests, and of bulk. A port of dsr is the servers' own. */
const PORTS: Readonly<Record<Exclude<Way, "direct">, readonly [requests: number, bulk: number]>> = {
  dsr: [8080, 5201],
  nat: [8180, 5301],
  proxy: [8280, 5401],
  haproxy: [8380, 5501],
};
const BULK_PORT = 5201;
const SETTLE_MS = 500;

export class Place implements AsyncDisposable {
  private constructor(readonly forwarding: Forwarding) {}

  static async open(): Promise<Place> {
    const forwarding = await Forwarding.create(["lb"], SERVERS);
    try {
      await forwarding.lab.onOneWire();
      await forwarding.own("lb");
      forwarding.write(tandemConfig(forwarding));
      const { stdout } = await forwarding.tandem("lb", "doctor", "--server", "-c", forwarding.file);
      for (const server of SERVERS) {
        await forwarding.lab.must(server, "sh", "-c", stdout);
        drained(forwarding.lab.start(server, [path("iperf3"), "-s", "-p", `${BULK_PORT}`]));
      }
      forwarding.run("lb");
      await forwarding.open("lb", ...SERVERS);
      const file = `${forwarding.directory}/haproxy.cfg`;
      await Deno.writeTextFile(file, haproxyConfig(forwarding));
      drained(forwarding.lab.start("lb", [path("haproxy"), "-db", "-f", file]));
      for (const [port] of Object.values(PORTS)) {
        while (await forwarding.request(`http://${VIP}:${port}/`) === "");
      }
      return new Place(forwarding);
    } catch (error) {
      await forwarding[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Requests for a few bytes from wrk; directly they go to one of the servers. */
  requests(way: Way, connections: number, seconds: number): Promise<LoadResult> {
    const { lab } = this.forwarding;
    const host = way === "direct" ? `${lab.address("s1")}:8080` : `${VIP}:${PORTS[way][0]}`;
    const through = ["ip", "netns", "exec", lab.namespace("client")];
    // A thread for each core: one alone fills its core with what it sends, and the other idles.
    const threads = navigator.hardwareConcurrency;
    return load(
      path("wrk"),
      { url: `http://${host}/`, connections, seconds, upload: 0, gzip: false, threads },
      through,
    );
  }

  /** Bits per second that one stream of iperf3 gets through, towards the server. */
  async bulk(way: Way, seconds: number): Promise<number> {
    const { lab } = this.forwarding;
    const [host, port] = way === "direct" ? [lab.address("s1"), BULK_PORT] : [VIP, PORTS[way][1]];
    const shape = ["-J", "-t", `${seconds}`, "-c", host, "-p", `${port}`];
    const said = JSON.parse(await lab.must("client", path("iperf3"), ...shape));
    // A server takes the next client a moment later.
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    return said.end.sum_received.bits_per_second;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.forwarding[Symbol.asyncDispose]();
  }
}

/** Busy time of all cores since the machine started, in microseconds: the kernel's forwarding belongs to no process. */
export function busyMicroseconds(): number {
  const [line = ""] = Deno.readTextFileSync("/proc/stat").split("\n");
  const [user, nice, system, , , irq, softirq] = line.split(/\s+/).slice(1).map(Number);
  return (user! + nice! + system! + irq! + softirq!) * 10_000;
}

function tandemConfig(forwarding: Forwarding): string {
  const listeners = (["dsr", "nat", "proxy"] as const).flatMap((forward) => {
    const [requests, bulk] = PORTS[forward];
    const rest = `protocol: tcp, forward: ${forward}${
      forward === "dsr" ? ", kernel: { interface: eth0 }" : ""
    }`;
    const pool = forward === "dsr" ? "hashed" : "web";
    return [
      `  - { name: ${forward}, bind: "${VIP}:${requests}", pool: ${pool}, ${rest} }`,
      `  - { name: bulk-${forward}, bind: "${VIP}:${bulk}", pool: bulk, ${rest} }`,
    ];
  });
  const servers = (port: number) => `servers: [${SERVERS.map((name) => forwarding.server(name, port))}]`;
  return `listeners:
${listeners.join("\n")}
pools:
  hashed: { balance: maglev, hashOn: connection, ${servers(8080)} }
  web: { ${servers(8080)} }
  bulk: { balance: maglev, ${servers(BULK_PORT)} }
drainTimeout: 1s
`;
}

function haproxyConfig({ lab }: Forwarding): string {
  const [requests, bulk] = PORTS.haproxy;
  const listen = (name: string, port: number, server: number, balance: string) =>
    `listen ${name}\n  bind ${VIP}:${port}\n  balance ${balance}\n` +
    SERVERS.map((one) => `  server ${one} ${lab.address(one)}:${server}\n`).join("");
  return `global
  maxconn 4000
defaults
  mode tcp
  option splice-auto
  timeout connect 5s
  timeout client 60s
  timeout server 60s
${listen("web", requests, 8080, "roundrobin")}${listen("bulk", bulk, BULK_PORT, "source")}`;
}

function path(tool: string): string {
  const found = requireTool(tool);
  if ("skip" in found) throw new Error(found.skip);
  return found.path;
}

function drained(child: Deno.ChildProcess): void {
  void child.stdin.close();
  void child.stdout.cancel();
}
