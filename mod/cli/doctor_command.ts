/** `tandem doctor`: whether this machine can do what the configuration asks of it, line by line with what to do. */
import { reasonOf } from "../base/reason.ts";
import { certificateFiles } from "../config/certificate_files_io.ts";
import { certificateReader } from "../config/certificates_io.ts";
import { loadConfig } from "../config/load.ts";
import { problemLine } from "../config/problem.ts";
import type { Config } from "../config/schema.ts";
import { pathKind, readConfigFile } from "../config/store_io.ts";
import { serverSetup } from "../kernel/server_setup.ts";
import type { CertificateEntry } from "../observe/certificate_list.ts";
import type { KeeperStatus } from "../observe/keeper_status.ts";
import type { NodeStatus } from "../observe/status.ts";
import { readAccounts } from "../runtime/accounts_io.ts";
import { adminSocketPath } from "../runtime/admin_path.ts";
import { askAdmin } from "../runtime/admin_socket_io.ts";
import { BAD, type Command, GOOD, type Invocation, writeErr, writeOut } from "./command.ts";
import { conntrackdFor } from "./doctor/neighbours_io.ts";
import { type Finding, findingsTable, ok, problem, warning } from "./doctor/finding.ts";
import { Machine } from "./doctor/machine_io.ts";
import { CHECKS } from "./doctor/table.ts";
import { painter } from "./paint.ts";
import { SELECTION_HELP, SELECTION_OPTIONS, selectionOf } from "./selection.ts";
import { askStatus } from "./socket_io.ts";

export const command: Command = {
  summary: "see whether this machine can do what the configuration asks of it",
  usage: "[-c FILE] [--json] [--server | --conntrackd]",
  options: {
    ...SELECTION_OPTIONS,
    server: { type: "boolean" },
    conntrackd: { type: "boolean" },
    json: { type: "boolean" },
  },
  help:
    `Looks at the runtime and the kernel, rights, limits, the clock, the service, ports, interfaces, the firewall, keepalived
beside it, kernel settings, names and certificates, and at the node if it runs. Nothing is changed. Each line is ok, a
warning (it works, and may not always) or a problem, with what to do about it. As root it sees more.
Exit code 1: there is a problem.

      --server        instead print what has to be set up on the servers of listeners with forward: dsr
      --conntrackd    instead print a configuration of conntrackd by which the nodes of a pair tell each other of the
                      connections that the kernel forwards
      --json          the findings as JSON
${SELECTION_HELP}

Examples: tandem doctor -c /etc/tandem/tandem.yaml
          tandem doctor --json | jq '.findings[] | select(.level != "ok")'
          tandem doctor --server | ssh root@10.0.0.11 sh
          tandem doctor --conntrackd > /etc/conntrackd/conntrackd.conf`,
  run: async (invocation) => {
    const { machine, findings } = await lookAt(invocation);
    const { server, conntrackd } = invocation.values;
    if ((server === true || conntrackd === true) && machine.config === null) {
      for (const { text } of findings) writeErr(`${text}\n`);
      return BAD;
    }
    if (server === true) return showSetup(machine);
    if (conntrackd === true) return await showConntrackd(machine);
    return await examine(machine, findings, invocation.values.json === true);
  },
};

/** The machine, and what there is to say of the configuration. */
async function lookAt(invocation: Invocation): Promise<{ machine: Machine; findings: Finding[] }> {
  const { file, node, context } = selectionOf(invocation);
  const env = (name: string) => Deno.env.get(name);
  const read = await readConfigFile(file).then(
    (text) => ({ text }),
    (error: Error) => ({ reason: error.message }),
  );
  const loaded = "reason" in read ? null : await loadConfig(read.text, {
    ...{ file, node, context, env, pathKind, accounts: readAccounts(), files: certificateFiles(file) },
    certificates: certificateReader(file, Date.now),
  });
  const config = loaded !== null && "config" in loaded ? loaded.config : null;
  const socket = socketPath(node, config);
  // Null as well when this user may not ask it.
  const keeper = socket === null ? null : await askStatus(socket) as KeeperStatus | null;
  const [had, told] = keeper === null
    ? [[], null]
    : await Promise.all([askCertificates(socket!), askBalancer(socket!)]);
  const hasSocket = socket !== null && pathKind(socket) !== "missing";
  const machine = new Machine(node, file, config, keeper, hasSocket, had, told);
  if ("reason" in read) {
    const fix = "name a file with -c; without one only the machine is looked at";
    const text = read.reason;
    // A machine may be looked at before there is a file.
    const given = invocation.values.config !== undefined || !/no such file/i.test(text);
    return {
      machine,
      findings: [given ? problem("configuration", text, fix) : warning("configuration", text, fix)],
    };
  }
  const findings = "problems" in loaded!
    ? loaded.problems.map((one) => problem("configuration", problemLine(one), "tandem check shows the line"))
    : [ok("configuration", `${file} can be run by node ${node}`)];
  const warnings = loaded!.warnings.map((one) =>
    warning("configuration", problemLine(one), "tandem check shows the line")
  );
  return { machine, findings: [...findings, ...warnings] };
}

/** Null as well when the balancer is down. */
async function askBalancer(socket: string): Promise<NodeStatus | null> {
  const answer = await askAdmin(socket, "/api/status").catch(() => null) as
    | { node?: NodeStatus | null }
    | null;
  return answer?.node ?? null;
}

/** Empty as well when the balancer is down, which is told of elsewhere. */
async function askCertificates(socket: string): Promise<readonly CertificateEntry[]> {
  const answer = await askAdmin(socket, "/api/certificates").catch(() => null);
  return Array.isArray(answer) ? answer : [];
}

/** Null: its path would be too long. */
function socketPath(node: string, config: Config | null): string | null {
  const socket = adminSocketPath({
    ...{ configured: config?.admin?.socket ?? "", node, uid: Deno.uid() },
    env: (name) => Deno.env.get(name),
  });
  return "path" in socket ? socket.path : null;
}

async function examine(machine: Machine, before: readonly Finding[], json: boolean): Promise<number> {
  const found = await Promise.all(CHECKS.map(async (check) => {
    try {
      return await check(machine);
    } catch (error) {
      // What one check meets is no reason to tell nothing of the others.
      const reason = reasonOf(error);
      return [
        warning(
          check.name,
          `cannot be looked at: ${reason}`,
          "run it as root, and tell us if that is no help",
        ),
      ];
    }
  }));
  const findings = [...before, ...found.flat()];
  const good = findings.every(({ level }) => level !== "problem");
  if (json) writeOut(JSON.stringify({ good, findings }, null, 2) + "\n");
  else writeOut(findingsTable(findings, painter(Deno.stdout.isTerminal(), Deno.env.get("NO_COLOR"))));
  return good ? GOOD : BAD;
}

function showSetup({ plan }: Machine): number {
  const setup = serverSetup(plan);
  if (setup === "") {
    writeErr("No listener has forward: dsr, so servers need nothing\n");
    return BAD;
  }
  writeOut(setup);
  return GOOD;
}

async function showConntrackd(machine: Machine): Promise<number> {
  const made = await conntrackdFor(machine);
  if ("problem" in made) {
    writeErr(`Cannot write a configuration of conntrackd as ${made.problem}\n`);
    return BAD;
  }
  writeOut(made.text);
  return GOOD;
}
