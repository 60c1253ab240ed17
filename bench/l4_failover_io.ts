/** Two nodes with `forward: dsr` and an election, and the ways in which the one that has the address can die. */
import { Forwarding, VIP } from "../tests/lab/forwarding.ts";

const SERVERS = ["s1", "s2", "s3"];
export const VIP_PORT = [VIP, 8080] as const;

export const STRIKES = ["killed (kill -9)", "frozen (SIGSTOP)", "without its cable"] as const;
export type Strike = typeof STRIKES[number];

export class Pair implements AsyncDisposable {
  private constructor(readonly forwarding: Forwarding) {}

  /** lb1 has the address, and both know their servers. */
  static async open(): Promise<Pair> {
    const forwarding = await Forwarding.create(["lb1", "lb2"], SERVERS);
    try {
      forwarding.write(config(forwarding));
      const { stdout } = await forwarding.tandem("lb1", "doctor", "--server", "-c", forwarding.file);
      for (const server of SERVERS) await forwarding.lab.must(server, "sh", "-c", stdout);
      for (const node of ["lb1", "lb2"]) {
        forwarding.run(node);
        await forwarding.open(node, ...SERVERS);
        if (node === "lb1") await forwarding.active(node);
      }
      await forwarding.active("lb1");
      return new Pair(forwarding);
    } catch (error) {
      await forwarding[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** lb2 has the address. */
  async moved(): Promise<boolean> {
    return (await this.forwarding.lab.ip("lb2", "address", "show", "dev", "eth0")).includes(` ${VIP}/`);
  }

  async strike(how: Strike): Promise<void> {
    if (how === "killed (kill -9)") await this.forwarding.signal("lb1", "SIGKILL");
    else if (how === "frozen (SIGSTOP)") await this.forwarding.signal("lb1", "SIGSTOP");
    else await this.forwarding.lab.cut("lb1");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.forwarding[Symbol.asyncDispose]();
  }
}

function config(forwarding: Forwarding): string {
  return `listeners: [{ name: web, bind: "${VIP}:8080", protocol: tcp, forward: dsr, pool: app }]
pools:
  app:
    balance: maglev
    hashOn: connection
    servers: [${SERVERS.map((name) => forwarding.server(name))}]
    check: { type: tcp, interval: 500ms, timeout: 5s }
vrrp:
  instances:
    - name: edge
      interface: eth0
      routerId: 51
      addresses: ["${VIP}/24"]
      owners: [lb1, lb2]
      advertInterval: 200ms
      keys: [{ id: 1, secret: "a secret of the lab" }]
drainTimeout: 1s
`;
}
