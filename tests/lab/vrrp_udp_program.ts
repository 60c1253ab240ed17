/**
 * A node that speaks the udp transport, without an election: it sends signed adverts and reports and says, as JSON
 * lines, what it hears and drops. Arguments: one JSON object.
 */
import { formatIp, parseIp } from "../../mod/base/address.ts";
import { Channel } from "../../vrrp/channel.ts";
import { hmacSha256 } from "../../vrrp/hmac_io.ts";
import { type LocalAddress, localAddress } from "../../vrrp/interfaces.ts";
import { UdpTransport } from "../../vrrp/udp_io.ts";

interface Settings {
  readonly node: string;
  readonly device: string;
  readonly family: 4 | 6;
  readonly peers: string[];
  readonly secret: string | null;
  readonly clockOffsetMs: number;
  readonly priority: number;
}

const INTERVAL_MS = 100;
const settings: Settings = JSON.parse(Deno.args[0]!);
const say = (message: unknown) =>
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(message) + "\n"));
const moment = () => ({ nowMs: performance.now(), clockMs: Date.now() + settings.clockOffsetMs });

/** The interface's address, which IPv6 gets only a moment after the link is up. */
async function ownAddress(): Promise<LocalAddress> {
  for (;;) {
    const found = localAddress(Deno.networkInterfaces(), settings.device, settings.family, []);
    if (found !== null) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const local = await ownAddress();
const channel = new Channel({
  node: settings.node,
  keys: settings.secret === null ? [] : [{ id: 1, secret: new TextEncoder().encode(settings.secret) }],
  local: local.address,
  hmac: hmacSha256,
  random64: () => crypto.getRandomValues(new BigUint64Array(1))[0]!,
}, performance.now());

const transport = await UdpTransport.open({
  local,
  peers: settings.peers.map((peer) => parseIp(peer)!),
  onDatagram: (bytes, source) => {
    const heard = channel.hear(bytes, source, moment());
    if (!heard.ok) return void say({ event: "drop", reason: heard.reason });
    const { node, proof } = heard.sender;
    const priority = heard.kind === "advert" ? heard.advert.priority : null;
    say({ event: "heard", kind: heard.kind, node, proof, source: formatIp(source), priority });
  },
  onDropped: (reason, source) => say({ event: "drop", reason, source }),
  onProblem: (problem) => say({ event: "problem", problem }),
});

const vip = parseIp(settings.family === 4 ? "10.77.0.200" : "fd77::200")!;
const standing = { health: 65535, configHash: 1n };
const { priority } = settings;
say({ event: "ready" });
for (;;) {
  const advert = { version: 3, vrid: 51, priority, intervalMs: INTERVAL_MS, addresses: [vip] } as const;
  const instances = [{ vrid: 51, state: "backup", priority, health: 65535, reason: "" } as const];
  const report = {
    version: "0",
    uptimeMs: performance.now(),
    maintenance: false,
    instances,
    pools: [],
    admin: [],
  };
  const datagrams = [channel.advert(advert, standing, moment()), channel.report(report, standing, moment())];
  for (const datagram of datagrams) {
    const problem = await transport.send(datagram);
    if (problem !== null) say({ event: "problem", problem });
  }
  await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
}
