/** `forward: nat` without masquerading on two nodes that elect: what of open connections a failover costs. */
import { assert, assertEquals } from "../assert.ts";
import { Forwarding, HeldConnections, VIP } from "./forwarding.ts";
import { LAB_NEEDS } from "./netns.ts";
import { pause } from "./pair.ts";
import { labTest, requireTool } from "./tools.ts";

const NEEDS = [...LAB_NEEDS, "curl", "nft", "nginx"];
const SERVERS = ["s1", "s2"];
const NODES = ["lb1", "lb2"] as const;
const CONNECTIONS = 20;
const POLL_MS = 50;
/** The gateway of the clients' network. */
const FAR = "10.99.0.100";
const DOCUMENT = new URL("../../docs/lvs.md", import.meta.url);

/** Clients and servers have the address as their gateway, each in its own network; lb1 has it. */
async function started(balance: string): Promise<Forwarding> {
  const forwarding = await Forwarding.create([...NODES], SERVERS);
  const { lab } = forwarding;
  try {
    forwarding.write(`listeners:
  - { name: web, bind: "${VIP}:80", protocol: tcp, forward: nat, pool: app, kernel: { masquerade: false } }
pools:
  app:
    balance: ${balance}
    servers: [${SERVERS.map((name) => forwarding.server(name))}]
    check: { type: tcp, interval: 200ms, timeout: 5s, rise: 1, fall: 1 }
vrrp:
  instances:
    - name: edge
      interface: eth0
      routerId: 51
      addresses: ["${VIP}/24", "${FAR}/24"]
      owners: [${NODES}]
      advertInterval: 500ms
      keys: [{ id: 1, secret: "a secret of the lab" }]
drainTimeout: 1s
`);
    await lab.ip("client", "address", "flush", "dev", "eth0");
    await lab.ip("client", "address", "add", "10.99.0.2/24", "dev", "eth0");
    await lab.ip("client", "route", "add", "default", "via", FAR);
    for (const name of SERVERS) await lab.ip(name, "route", "add", "default", "via", VIP);
    for (const node of NODES) {
      forwarding.run(node);
      await forwarding.open(node, ...SERVERS);
    }
    await forwarding.active("lb1");
    return forwarding;
  } catch (error) {
    await forwarding[Symbol.asyncDispose]();
    throw error;
  }
}

/** How many of open connections are the same after lb1 has lost its cable. `made`: runs while all are open. */
async function survivors(
  forwarding: Forwarding,
  made: () => Promise<void> = async () => {},
): Promise<number> {
  const held = new HeldConnections(forwarding.lab, VIP, 80, CONNECTIONS);
  const answers = await held.ask();
  assertEquals([...new Set(answers)].sort(), SERVERS);
  await made();
  await forwarding.lab.cut("lb1");
  await forwarding.active("lb2");
  const after = await held.ask();
  await held.close();
  return after.filter((server, at) => server === answers[at]).length;
}

labTest("nat: by maglev open connections survive the loss of the node", NEEDS, async () => {
  await using forwarding = await started("maglev\n    hashOn: connection");
  assertEquals(await survivors(forwarding), CONNECTIONS);
});

/** The configuration of the documentation, for this node. */
function conntrackdConfig({ lab, directory }: Forwarding, node: string, peer: string): string {
  const [, text = ""] = /```\n(Sync \{.*?)```/s.exec(Deno.readTextFileSync(DOCUMENT)) ?? [];
  return text.replace("10.0.0.1", lab.address(node)).replace("10.0.0.2", lab.address(peer))
    .replace(/LockFile .*/, `LockFile ${directory}/${node}.lock`)
    .replace(/Path .*/, `Path ${directory}/${node}.ctl`);
}

labTest(
  "nat: with conntrackd open connections survive the loss of the node by any policy, and not without",
  [...NEEDS, "conntrack", "conntrackd"],
  async () => {
    await using forwarding = await started("random");
    const { lab, directory } = forwarding;
    const conntrackd = requireTool("conntrackd");
    assert("path" in conntrackd);
    const daemons = NODES.map((node, at) => {
      const file = `${directory}/${node}.conntrackd`;
      Deno.writeTextFileSync(file, conntrackdConfig(forwarding, node, NODES[1 - at]!));
      const daemon = lab.start(node, [conntrackd.path, "-C", file]);
      void daemon.stdin.close();
      void daemon.stdout.cancel();
      return daemon;
    });
    const listening = (node: string) =>
      lab.run(node, conntrackd.path, "-C", `${directory}/${node}.conntrackd`, "-s");
    for (const node of NODES) while (!(await listening(node)).success) await pause(POLL_MS);
    const told = async () => {
      const filter = ["-p", "tcp", "--orig-dst", VIP, "--orig-port-dst", "80", "--state", "ESTABLISHED"];
      const known = async () =>
        (await lab.run("lb2", "conntrack", "-L", ...filter)).stdout.trim().split("\n");
      while ((await known()).length < CONNECTIONS) await pause(POLL_MS);
    };
    assertEquals(await survivors(forwarding, told), CONNECTIONS);

    for (const daemon of daemons) {
      daemon.kill("SIGKILL");
      await daemon.status;
    }
    await lab.heal("lb1");
    await forwarding.active("lb1");
    assert(await survivors(forwarding) < CONNECTIONS, "chance sends half of them to the other server");
  },
);
