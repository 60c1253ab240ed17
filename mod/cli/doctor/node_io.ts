/** What the node itself says, if it runs. */
import { accessLogFindings } from "./access_log.ts";
import { type Finding, ok, problem, warning } from "./finding.ts";
import type { Machine } from "./machine_io.ts";

/** A peer that has not been heard for so long is as good as down. */
const SILENT_MS = 10_000;

export function node({ node, keeper, hasSocket, balancer: told }: Machine): Finding[] {
  if (keeper === null && hasSocket) {
    return [
      warning(
        "node",
        `the socket of ${node} is there, and does not answer`,
        "run doctor as root, or as a user of its group",
      ),
    ];
  }
  if (keeper === null) return [ok("node", `${node} does not run here`)];
  const { balancer, refused, drift, version } = keeper;
  const restarts = balancer.restarts > 0 ? `, ${balancer.restarts} restarts` : "";
  const found: Finding[] = [
    balancer.state === "running" ? ok("node", `${node} runs, version ${version}${restarts}`) : problem(
      "node",
      `the balancer of ${node} is ${balancer.state}: ${balancer.lastDeath ?? ""}`,
      "see its log",
    ),
  ];
  if (refused !== null) {
    const [first = ""] = refused.problems;
    found.push(problem("node", `the last reload was refused: ${first}`, "tandem plan tells every reason"));
  }
  if (drift.length > 0) {
    const text = `${drift.length} settings were changed live, and are not in the file`;
    found.push(warning("node", text, "write them into the file, or tandem server reset"));
  }
  return told === null ? found : [...found, ...accessLogFindings(told)];
}

export function peers({ keeper }: Machine): Finding[] {
  return (keeper?.vrrp.instances ?? []).flatMap((instance) => {
    const about = `vrrp ${instance.name}`;
    const foreign = instance.foreign.map(({ address, why }) =>
      problem(
        about,
        `${address} is active with the same id: ${why}`,
        "if it is this node's peer: compare their keys, and let UDP 8112 through; if it is a stranger: take another routerId",
      )
    );
    const fault = instance.state === "fault"
      ? [problem(about, `this node takes no part: ${instance.why}`, "see tandem status")]
      : [];
    const of = instance.peers.flatMap(({ node, silentMs, sameConfiguration, version }) => {
      if (silentMs > SILENT_MS) {
        const text = `${node} was last heard ${Math.round(silentMs / 1000)} s ago`;
        return [warning(about, text, "see whether it runs, and whether the LAN is whole")];
      }
      if (!sameConfiguration) {
        return [
          warning(about, `${node} has another configuration`, "copy the file to both, and reload both"),
        ];
      }
      const other = version !== null && version !== keeper!.version ? `, of version ${version}` : "";
      return [ok(about, `${node} is heard, and has the same configuration${other}`)];
    });
    const alone = instance.peers.length === 0
      ? [warning(about, "no other node has been heard", "start it, and see what is said of the firewall")]
      : [];
    return [...foreign, ...fault, ...of, ...alone];
  });
}
