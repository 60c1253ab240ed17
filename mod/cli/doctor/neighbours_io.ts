/** Who else there is: rules of a firewall, keepalived with the same id, conntrackd, and what holds the ports. */
import { isUnspecifiedIp, parseIp } from "../../base/address.ts";
import { expandLines } from "../../import/keepalived_lines.ts";
import { parseKeepalived, type Statement } from "../../import/keepalived_text.ts";
import { checkBinds } from "../../runtime/bind_check_io.ts";
import { conntrackdConfig } from "./conntrackd.ts";
import { type Finding, ok, problem, warning } from "./finding.ts";
import { firewallFindings } from "./firewall.ts";
import type { Machine } from "./machine_io.ts";

const KEEPALIVED = "/etc/keepalived/keepalived.conf";
const KEEPALIVED_PIDS = ["/run/keepalived.pid", "/run/keepalived/keepalived.pid"];

export async function firewall(machine: Machine): Promise<Finding[]> {
  const { instances } = machine.election;
  if (instances.length === 0) return [];
  const told = await machine.run("nft", "-j", "list", "ruleset");
  if ("problem" in told) {
    return [
      warning(
        "firewall",
        `its rules cannot be read: ${told.problem}`,
        "run doctor as root, with nft installed",
      ),
    ];
  }
  const signed = instances.some(({ segment }) => segment.keys.length > 0);
  return firewallFindings(JSON.parse(told.text), {
    vrrp: instances.some(({ runner }) => runner.transport !== "udp"),
    udp: signed || instances.some(({ runner }) => runner.transport === "udp"),
    tcp: signed,
  });
}

export function keepalived(machine: Machine): Finding[] {
  const { instances } = machine.election;
  if (instances.length === 0) return [];
  const text = machine.text(KEEPALIVED);
  const pid = KEEPALIVED_PIDS.map((file) => machine.text(file)?.trim()).find((one) => one !== undefined);
  const runs = pid !== undefined && machine.proc(`/proc/${pid}/comm`)?.trim() === "keepalived";
  if (text === null) return [ok("keepalived", runs ? `runs without ${KEEPALIVED}` : "not configured here")];
  const ids = keepalivedIds(text);
  const same = instances.filter(({ runner }) =>
    ids.some(({ device, routerId }) => device === runner.device && routerId === runner.vrid)
  );
  if (same.length === 0) return [ok("keepalived", `${KEEPALIVED} has no instance with our ids`)];
  const names = same.map(({ runner }) => `${runner.device} id ${runner.vrid}`).join(", ");
  const fix = "systemctl disable --now keepalived";
  return [
    runs
      ? problem(
        "keepalived",
        `it runs beside, with the same instances (${names}): both would hold the addresses`,
        fix,
      )
      : warning(
        "keepalived",
        `it is configured with the same instances (${names}), and does not run now`,
        fix,
      ),
  ];
}

/** The instances of a configuration of keepalived, as far as it stands in one file. */
export function keepalivedIds(text: string): { readonly device: string; readonly routerId: number }[] {
  const { lines } = expandLines({ file: KEEPALIVED, text }, { id: null, include: () => [] });
  const word = (block: readonly Statement[] | null, keyword: string) =>
    block?.find(({ words }) => words[0] === keyword)?.words[1] ?? "";
  return parseKeepalived(lines).filter(({ words }) => words[0] === "vrrp_instance").map(({ block }) => ({
    device: word(block, "interface"),
    routerId: Number(word(block, "virtual_router_id")),
  }));
}

export function conntrackd(machine: Machine): Finding[] {
  const { plan, election } = machine;
  const moved = plan.services.filter(({ mode, masquerade, policy }) =>
    mode === "nat" && !masquerade && !["maglev", "hash"].includes(policy)
  );
  if (moved.length === 0 || election.instances.length === 0) return [];
  const names = moved.map(({ name }) => name).join(", ");
  if (machine.text("/var/lock/conntrack.lock") !== null) return [ok("conntrackd", "runs, by its lock")];
  return [
    warning(
      "conntrackd",
      `does not run: open connections of ${names} do not outlive a failover`,
      "tandem doctor --conntrackd > /etc/conntrackd/conntrackd.conf && systemctl restart conntrackd, or balance: maglev",
    ),
  ];
}

/** A configuration of conntrackd for this node, or why there is none. */
export async function conntrackdFor(machine: Machine): Promise<{ text: string } | { problem: string }> {
  const [instance] = machine.election.instances;
  if (instance === undefined) {
    return { problem: "this node takes part in no election, so there is no other node" };
  }
  const { device } = instance.runner;
  const here = machine.keeper?.vrrp.instances.find(({ name }) => name === instance.runner.name);
  const vips = new Set(here?.addresses.map((address) => address.replace(/\/.*/, "")) ?? []);
  const own = here?.local ??
    (await machine.interfaces())?.find(({ name }) => name === device)?.addresses
      .find(({ host }) => !host.includes(":") && !vips.has(host))?.host ??
    null;
  const known = here?.peers[0]?.address;
  return { text: conntrackdConfig({ device, own, peer: known ?? null }) };
}

/** Ports of a node that runs are its own. */
export async function ports(machine: Machine): Promise<Finding[]> {
  const { config, keeper, hasSocket } = machine;
  // Of a node that does not answer nobody knows which are its own.
  if (config === null || keeper === null && hasSocket) return [];
  if (keeper !== null) return [ok("ports", "the node runs, and has them")];
  const binds = [
    ...config.listeners.filter(({ forward }) => forward === "proxy").flatMap(({ name, protocol, bind }) =>
      bind.map(({ host, port }) => ({
        purpose: `the listener ${name}`,
        host,
        port,
        datagrams: protocol === "udp",
      }))
    ),
    ...config.admin === undefined ? [] : [{ purpose: "admin.bind", ...config.admin.bind }],
  ];
  // Of an address that is not here it is told elsewhere.
  const here = new Set(
    (await machine.interfaces())?.flatMap(({ addresses }) => addresses.map(({ host }) => host)),
  );
  const looked = binds.filter(({ host }) =>
    here.size === 0 || isUnspecifiedIp(parseIp(host)!) || here.has(host)
  );
  const taken = await checkBinds(looked, 0);
  const fix = "ss -lntup tells who listens there; ports below 1024 need a right";
  return taken.length === 0
    ? [ok("ports", `all ${looked.length} are free`)]
    : taken.map((one) => problem("ports", one, fix));
}
