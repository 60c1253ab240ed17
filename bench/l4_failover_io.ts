/**
 * Two nodes with `forward: dsr` and an election, open connections that are asked all the time, and strikes at the node
 * that has the address: it is killed, frozen or cut off, and comes back, again and again.
 */
import { Forwarding, HeldConnections, VIP } from "../tests/lab/forwarding.ts";
import { pause } from "../tests/lab/pair.ts";

const SERVERS = ["s1", "s2", "s3"];
const PORT = 8080;
const POLL_MS = 20;
/** It has the address whenever it is well. */
const FIRST = "lb1";
const SECOND = "lb2";

export const STRIKES = ["without its cable", "killed (kill -9)", "frozen (SIGSTOP)"] as const;
export type Strike = typeof STRIKES[number];

export interface Toll {
  readonly connections: number;
  /** On all connections, from before the first strike until after the last. */
  readonly requests: number;
  /** Connections that ended, or on which another server answered. */
  readonly broken: number;
  /** How often the address went to the other node, and came back. */
  readonly moves: number;
}

export class Pair implements AsyncDisposable {
  private constructor(readonly forwarding: Forwarding) {}

  /** The first has the address, and both know their servers. */
  static async open(): Promise<Pair> {
    const forwarding = await Forwarding.create([FIRST, SECOND], SERVERS);
    try {
      forwarding.write(config(forwarding));
      const { stdout } = await forwarding.tandem(FIRST, "doctor", "--server", "-c", forwarding.file);
      for (const server of SERVERS) await forwarding.lab.must(server, "sh", "-c", stdout);
      for (const node of [FIRST, SECOND]) {
        forwarding.run(node);
        await forwarding.open(node, ...SERVERS);
      }
      await forwarding.active(FIRST);
      return new Pair(forwarding);
    } catch (error) {
      await forwarding[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** So many strikes, in all ways by turns, under so many connections. `told`: after each. */
  async endure(
    connections: number,
    strikes: number,
    told: (how: Strike, toll: Toll) => void = () => {},
  ): Promise<Toll> {
    const held = new HeldConnections(this.forwarding.lab, VIP, PORT, connections);
    const before = await held.ask();
    let [after, rounds, moves, done] = [before, 1, 0, false];
    const toll = (): Toll => {
      const broken = after.filter((server, at) => server !== before[at]).length;
      return { connections, requests: rounds * connections, broken, moves };
    };
    const asking = (async () => {
      while (!done) {
        after = await held.ask();
        rounds++;
        // Not to find out how fast it can be.
        await pause(POLL_MS);
      }
    })();
    for (let at = 0; at < strikes; at++) {
      const how = STRIKES[at % STRIKES.length]!;
      const recover = await this.#strike(how);
      await this.#answered(() => rounds);
      await recover();
      await this.#answered(() => rounds);
      moves += 2;
      told(how, toll());
    }
    done = true;
    await asking;
    await held.close();
    return toll();
  }

  /** All connections have had an answer that was asked for from now on. */
  async #answered(rounds: () => number): Promise<void> {
    const enough = rounds() + 2;
    while (rounds() < enough) await pause(POLL_MS);
  }

  /** Resolves when the other node has the address; what is returned, when it is back. */
  async #strike(how: Strike): Promise<() => Promise<void>> {
    const { forwarding } = this;
    const pids = await forwarding.pids(FIRST);
    const signal = (name: Deno.Signal) => pids.forEach((pid) => Deno.kill(pid, name));
    if (how === "killed (kill -9)") signal("SIGKILL");
    else if (how === "frozen (SIGSTOP)") signal("SIGSTOP");
    else await forwarding.lab.cut(FIRST);
    await forwarding.active(SECOND);
    // It must not come back with the address while it still believes that no server is well.
    if (how === "without its cable") await forwarding.open(FIRST);
    return async () => {
      if (how === "killed (kill -9)") forwarding.run(FIRST);
      else if (how === "frozen (SIGSTOP)") signal("SIGCONT");
      else await forwarding.lab.heal(FIRST);
      await forwarding.active(FIRST);
      await forwarding.open(FIRST, ...SERVERS);
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.forwarding[Symbol.asyncDispose]();
  }
}

function config(forwarding: Forwarding): string {
  return `listeners: [{ name: web, bind: "${VIP}:${PORT}", protocol: tcp, forward: dsr, pool: app }]
pools:
  app:
    balance: maglev
    hashOn: connection
    servers: [${SERVERS.map((name) => forwarding.server(name, PORT))}]
    check: { type: tcp, interval: 500ms, timeout: 5s }
vrrp:
  instances:
    - name: edge
      interface: eth0
      routerId: 51
      addresses: ["${VIP}/24"]
      owners: [${FIRST}, ${SECOND}]
      advertInterval: 200ms
      keys: [{ id: 1, secret: "a secret of the lab" }]
drainTimeout: 1s
`;
}
