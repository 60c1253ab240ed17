/** Interfaces of the election, kernel settings, and what the kernel is to forward. */
import {
  formatHostPort,
  formatIp,
  type IpBytes,
  isLoopbackIp,
  isUnspecifiedIp,
  maskIp,
  parseIp,
} from "../../base/address.ts";
import { kernelProblems } from "../../runtime/kernel_preflight_io.ts";
import { hasVirtualMac, type InstanceSettings } from "../../runtime/election.ts";
import { type Finding, ok, problem, warning } from "./finding.ts";
import type { Interface, Machine } from "./machine_io.ts";

/** Each tracked connection has some 300 bytes; a busy machine has as many in two minutes. */
const LEAST_TRACKED = 65_536;
const NEARLY_FULL = 0.8;

export async function interfaces(machine: Machine): Promise<Finding[]> {
  const { instances } = machine.election;
  if (instances.length === 0) return [ok("election", "this node takes part in none")];
  const all = await machine.interfaces();
  if (all === null) return [warning("interfaces", "cannot be asked for", "see what is said of ip")];
  return instances.flatMap((one) => interfaceOf(one, all));
}

function interfaceOf({ runner, segment }: InstanceSettings, all: readonly Interface[]): Finding[] {
  const about = `vrrp ${runner.name}`, { device } = runner;
  const found = all.find(({ name }) => name === device);
  if (found === undefined) {
    const names = all.map(({ name }) => name).join(", ");
    return [
      problem(about, `there is no interface ${device}`, `vrrp.instances[].interface is one of ${names}`),
    ];
  }
  const lacks = (flag: string) => !found.flags.includes(flag);
  if (lacks("UP")) return [problem(about, `${device} is down`, `ip link set ${device} up`)];
  if (lacks("LOWER_UP")) {
    return [problem(about, `${device} has no carrier`, "plug the cable in, or look at the switch")];
  }
  const vips = runner.vips.map(({ address }) => formatIp(address));
  const colon = segment.family === 6;
  const own = found.addresses.filter(({ host }) => host.includes(":") === colon && !vips.includes(host));
  if (own.length === 0) {
    return [
      problem(
        about,
        `${device} has no IPv${segment.family} address of its own to speak from`,
        `give it one beside ${vips.join(", ")}`,
      ),
    ];
  }
  if (lacks("MULTICAST") && segment.peers.length === 0) {
    return [
      problem(
        about,
        `${device} has no multicast`,
        `ip link set ${device} multicast on, or name the nodes in peers`,
      ),
    ];
  }
  const way = segment.peers.length === 0 ? "multicast" : "unicast";
  return [
    ok(about, `${device} is up, has ${own[0]!.host}, and speaks by ${way}`),
    ...flux(about, runner, all),
  ];
}

/** Two interfaces in one LAN: each answers for the addresses of the other unless told not to. */
function flux(
  about: string,
  { device, vips }: InstanceSettings["runner"],
  all: readonly Interface[],
): Finding[] {
  const others = all.filter(({ name, flags, addresses }) =>
    name !== device && flags.includes("UP") && !name.startsWith("vrrp.") &&
    addresses.some(({ host, prefix }) =>
      prefix < 32 && !host.includes(":") &&
      vips.some(({ address }) =>
        address.length === 4 && netOf(parseIp(host)!, prefix) === netOf(address, prefix)
      )
    )
  );
  return others.map(({ name }) =>
    warning(
      about,
      `${name} is in the LAN of the addresses too, and answers ARP for them`,
      `sysctl -w net.ipv4.conf.${name}.arp_ignore=1 net.ipv4.conf.${name}.arp_announce=2 net.ipv4.conf.${name}.rp_filter=2`,
    )
  );
}

function netOf(address: IpBytes, prefix: number): string {
  return formatIp(maskIp(address, prefix));
}

export function settings(machine: Machine): Finding[] {
  return [...bound(machine), ...virtualMac(machine), ...migration(machine)];
}

/** A listener on a virtual address cannot be had by the node that does not hold it. */
function bound({ config, election, sysctl }: Machine): Finding[] {
  const vips = new Set(
    election.instances.flatMap(({ runner }) => runner.vips.map(({ address }) => formatIp(address))),
  );
  const binds = (config?.listeners ?? []).filter(({ forward }) => forward === "proxy").flatMap(({ bind }) =>
    bind
  );
  const found = binds.find(({ host }) => vips.has(host));
  if (found === undefined) return [];
  const name = `net.ipv${found.host.includes(":") ? 6 : 4}.ip_nonlocal_bind`;
  if (sysctl(name) === "1") return [ok("sysctl", `${name} is 1, for listeners on virtual addresses`)];
  return [
    problem(
      "sysctl",
      `${name} is not 1: a node without the address cannot listen on ${found.host}`,
      `sysctl -w ${name}=1, or bind to :${found.port}`,
    ),
  ];
}

function virtualMac({ election, keeper, isRoot, sysctl }: Machine): Finding[] {
  return election.instances.map(({ runner }) => runner).filter(hasVirtualMac).map(({ device }) => {
    const name = `net.ipv4.conf.${device}.arp_ignore`;
    const value = sysctl(name);
    if (value === "1" || keeper !== null || isRoot) {
      return ok("sysctl", `${name} is ${value ?? "not readable"}`);
    }
    return problem(
      "sysctl",
      `${name} is ${value}: ${device} would answer for addresses with a MAC of their own`,
      `write ${name}=1 to a file in /etc/sysctl.d, as the service may not set it`,
    );
  });
}

function migration({ keeper, isRoot, sysctl }: Machine): Finding[] {
  const name = "net.ipv4.tcp_migrate_req";
  const value = sysctl(name);
  if (value === null || value === "1" || isRoot && keeper === null) {
    return [ok("sysctl", `${name} is ${value ?? "not known to this kernel"}`)];
  }
  return [
    warning(
      "sysctl",
      `${name} is 0: a reload may reset connections that are being made`,
      `sysctl -w ${name}=1`,
    ),
  ];
}

/** What is forwarded in the kernel, and how many connections it may track. */
export async function forwarding({ plan, spawn, sysctl }: Machine): Promise<Finding[]> {
  if (plan.services.length === 0) return [ok("forwarding", "no listener is forwarded in the kernel")];
  const lacks = await kernelProblems(plan, spawn);
  const found = lacks.map((text) => problem("forwarding", text, "see docs/lvs.md"));
  const all = found.length > 0
    ? found
    : [ok("forwarding", `this machine can: ${plan.services.length} listeners`)];
  return plan.services.some(({ mode }) => mode === "nat") ? [...all, ...tracking(sysctl)] : all;
}

function tracking(sysctl: Machine["sysctl"]): Finding[] {
  const [max, count] = ["max", "count"].map((what) => sysctl(`net.netfilter.nf_conntrack_${what}`));
  if (max == null) return [ok("conntrack", "not loaded yet")];
  const told = `${count} of at most ${max} connections are tracked (net.netfilter.nf_conntrack_max)`;
  const fix = "sysctl -w net.netfilter.nf_conntrack_max=262144, and in /etc/sysctl.d";
  if (Number(count) > NEARLY_FULL * Number(max)) {
    return [problem("conntrack", `${told}: new ones are dropped soon`, fix)];
  }
  return [Number(max) < LEAST_TRACKED ? warning("conntrack", told, fix) : ok("conntrack", told)];
}

export function admin({ config }: Machine): Finding[] {
  const { bind, tls } = config?.admin ?? {};
  if (bind === undefined) return [];
  const where = `admin.bind ${formatHostPort(bind.host, bind.port)}`;
  if (tls !== undefined) return [ok("admin", `${where} speaks TLS`)];
  if (!isParticular(bind.host) && !isUnspecifiedIp(parseIp(bind.host)!)) {
    return [ok("admin", `${where} is this machine's`)];
  }
  return [
    warning(
      "admin",
      `${where} can be reached from elsewhere, and sends the token in the clear`,
      "set admin.tls, or bind to 127.0.0.1",
    ),
  ];
}

/** Addresses that listeners are bound to, and nobody has. */
export async function strangeBinds(machine: Machine): Promise<Finding[]> {
  const all = await machine.interfaces();
  const vips = machine.election.instances.flatMap(({ runner }) =>
    runner.vips.map(({ address }) => formatIp(address))
  );
  const known = new Set([
    ...vips,
    ...(all ?? []).flatMap(({ addresses }) => addresses.map(({ host }) => host)),
  ]);
  if (all === null || machine.sysctl("net.ipv4.ip_nonlocal_bind") === "1") return [];
  return (machine.config?.listeners ?? []).flatMap(({ name, bind, forward }) =>
    bind.filter(({ host }) => forward === "proxy" && !known.has(host) && isParticular(host)).map(({ host }) =>
      problem(
        "addresses",
        `the listener ${name} is bound to ${host}, which no interface has`,
        "bind to :PORT, or give an interface the address",
      )
    )
  );
}

function isParticular(host: string): boolean {
  const ip = parseIp(host);
  return ip !== null && !isUnspecifiedIp(ip) && !isLoopbackIp(ip);
}
