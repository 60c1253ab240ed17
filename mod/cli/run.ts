/**
 * `tandem run`: becomes the keeper of this node and runs the same program again as its balancer.
 *
 * Composition only: where the configuration comes from, how it is checked, where the socket is, with which
 * permissions the balancer starts.
 */
import { createHash } from "node:crypto";
import { createSocketApp } from "../../routes/app.ts";
import { formatHostPort, type HostPort, isUnspecifiedIp, parseIp } from "../base/address.ts";
import { directoryOf } from "../config/file_paths.ts";
import { functionsOf } from "../config/functions.ts";
import { certificateFiles } from "../config/certificate_files_io.ts";
import { certificateReader } from "../config/certificates_io.ts";
import type { LiveChanges } from "../config/live.ts";
import { loadConfig } from "../config/load.ts";
import { planChanges } from "../config/plan.ts";
import type { InstanceNow } from "../config/plan_election.ts";
import { problemLine } from "../config/problem.ts";
import type { Config } from "../config/schema.ts";
import { pathKind, readConfigFile } from "../config/store_io.ts";
import { buildFunctions } from "../functions/build_io.ts";
import { commandOf } from "../health/checks/exec.ts";
import { kernelPlan } from "../kernel/plan.ts";
import { logger } from "../observe/log.ts";
import { flushLog, setUpLog } from "../observe/log_io.ts";
import { readAccounts } from "../runtime/accounts_io.ts";
import { adminSocketPath } from "../runtime/admin_path.ts";
import type { Plan } from "../runtime/desk.ts";
import { electionSettings } from "../runtime/election.ts";
import type { Checked, KeeperFacts } from "../runtime/keeper_facts.ts";
import { runKeeper } from "../runtime/keeper_io.ts";
import { kernelProblems } from "../runtime/kernel_preflight_io.ts";
import { Predecessor } from "../runtime/predecessor_io.ts";
import { scriptUser } from "../runtime/script_user.ts";
import { ServiceManager } from "../runtime/sdnotify_io.ts";
import { ownCommand, Spawner } from "../runtime/spawn_io.ts";
import { acmeNames } from "../config/acme_names.ts";
import { acmeDirectory } from "../runtime/state_path.ts";
import { functionFlags, ownFlags, startBundler } from "./own_flags.ts";
import { CALLED } from "./version.ts";

/** A text of a configuration and what is laid over it. */
type Laid = { readonly text: string; readonly live: LiveChanges };

export interface RunArguments {
  readonly file: string;
  readonly node: string;
  readonly context: string | null;
  /** The program's entry file, which `balancer` is given to as its command. */
  readonly entry: URL;
  /** The configuration, where it does not come from the file. */
  readonly text?: string;
  /** Takes over from the keeper that has started this process. */
  readonly takeOver?: boolean;
}

/** What the balancer may do when it runs from source: no processes, no libraries, no files to write. */
const BALANCER_FLAGS = ["--allow-net", "--allow-read", "--allow-env", "--allow-sys", "--allow-ffi"];
const KEEPER_FLAGS = [...BALANCER_FLAGS, "--allow-run", "--allow-write"];
/** Of `run`: the process is the successor of the one that started it. */
export const TAKE_OVER = "take-over";

/** Runs until told to stop. The answer is the exit code. */
export async function run({ file, node, context, entry, text, takeOver }: RunArguments): Promise<number> {
  const log = logger("keeper");
  const env = (name: string) => Deno.env.get(name);
  setUpLog({ level: "info", format: "auto" });
  const flags = ownFlags();
  const again = ["run", "-c", file, "--node", node, ...context === null ? [] : ["--context", context]];

  async function check(text: string, live: LiveChanges, onDisk: boolean): Promise<Checked> {
    const accounts = readAccounts();
    const loaded = await loadConfig(text, {
      file,
      node,
      context,
      env,
      accounts,
      live,
      ...onDisk ? { files: certificateFiles(file), pathKind } : {},
    });
    if ("problems" in loaded) return { problems: loaded.problems.map((problem) => problemLine(problem)) };
    const { log: logSettings, admin, drainTimeout, acme } = loaded.config;
    const socket = adminSocketPath({ configured: admin?.socket ?? "", node, uid: Deno.uid(), env });
    if ("problem" in socket) return { problems: [socket.problem] };
    const kernel = kernelPlan(loaded.config, node);
    const lacks = await kernelProblems(kernel, new Spawner().spawn);
    if (lacks.length > 0) return { problems: lacks };
    const functions = onDisk ? functionsOf(loaded.config) : [];
    const built = await buildFunctions(functions, directoryOf(file), startBundler(entry));
    if ("problems" in built) {
      return { problems: built.problems.map((problem) => problemLine(problem)), files: built.files };
    }
    return {
      functions: built.functions,
      exec: execChecks(loaded.config),
      socketPath: socket.path,
      drainMs: drainTimeout,
      adminUrl: admin === undefined ? null : adminUrl(admin.bind, admin.tls !== undefined),
      scriptUser: scriptUser(loaded.config.vrrp.scriptUser, Deno.uid() ?? 0, accounts),
      election: electionSettings(loaded.config, node, hashOf(text)),
      kernel,
      ...(acme === undefined ? {} : {
        acme: {
          state: acmeDirectory({ configured: acme.state, node, uid: Deno.uid(), env }),
          authority: acme.directory,
          names: acmeNames(loaded.config),
        },
      }),
      servers: new Map(
        Object.entries(loaded.config.pools).map(([pool, { servers }]) => [
          pool,
          servers.map(({ name }) => name),
        ]),
      ),
      live: loaded.live,
      drift: loaded.drift,
      resetsLive: admin?.liveChanges === "reset",
      warnings: loaded.warnings.map((warning) => problemLine(warning)),
      logLevel: logSettings.level,
      setUpLog: () => setUpLog(logSettings),
    };
  }

  /** Both have been checked, but for the certificates that clients are shown: the balancer reads those. */
  async function plan(before: Laid, after: Laid, instances: readonly InstanceNow[]): Promise<Plan> {
    const given = { file, node, context, env };
    const [old, next] = await Promise.all([
      loadConfig(before.text, { ...given, live: before.live }),
      loadConfig(after.text, {
        ...given,
        live: after.live,
        certificates: certificateReader(file, Date.now),
      }),
    ]);
    if ("problems" in next) return { problems: next.problems.map((one) => problemLine(one)), changes: [] };
    const now = { node, instances };
    return { problems: [], changes: "config" in old ? planChanges(old.config, next.config, now) : [] };
  }

  try {
    return await runKeeper({
      version: CALLED.version,
      node,
      context,
      file,
      read: () => text === undefined ? readConfigFile(file) : Promise.resolve(text),
      check,
      plan,
      makeApi: (desk) => createSocketApp(desk, CALLED.version),
      balancer: ownCommand(entry, [...flags, ...BALANCER_FLAGS], ["balancer"]),
      functionProgram: (net) => ownCommand(entry, [...flags, ...functionFlags(net)], ["function"]),
      successor: text === undefined
        ? ownCommand(entry, [...flags, ...KEEPER_FLAGS], [...again, `--${TAKE_OVER}`])
        : null,
      predecessor: takeOver === true ? new Predecessor(CALLED.version) : null,
      log,
      service: ServiceManager.find(log),
    });
  } finally {
    // Also when something threw: the last lines are the ones that are wanted then.
    await flushLog();
  }
}

/** The first 64 bits of the text's hash: nodes compare them. */
function hashOf(text: string): bigint {
  return createHash("sha256").update(text).digest().readBigUInt64BE();
}

/** Where a program of this machine reaches the address. */
function adminUrl({ host, port }: HostPort, isSecure: boolean): string {
  const anywhere = isUnspecifiedIp(parseIp(host)!);
  return `${isSecure ? "https" : "http"}://${formatHostPort(anywhere ? "127.0.0.1" : host, port)}`;
}

function execChecks({ pools }: Config): KeeperFacts["exec"] {
  const checks = new Map<string, { command: readonly string[]; timeoutMs: number }>();
  for (const [name, { check }] of Object.entries(pools)) {
    if (check?.type !== "exec") continue;
    checks.set(name, { command: commandOf(check.settings), timeoutMs: check.timeout });
  }
  return checks;
}
