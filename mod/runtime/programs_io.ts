/**
 * What the keeper starts: its balancer, a keeper that takes over, and the programs that the configuration names; each
 * with the rights that it is to have. Which programs may be started at all is `spawn_io.ts`.
 */
import type { Account } from "../base/accounts.ts";
import type { FunctionConfig } from "../config/function_schema.ts";
import type { ExecSpawn } from "../health/exec_io.ts";
import type { Log } from "../observe/log.ts";
import { ALL_CAPABILITIES, NETWORK_CAPABILITIES, withoutCapabilities } from "./ambient_io.ts";
import { OwnStdout } from "./own_stdout_io.ts";
import type { ScriptUser } from "./script_user.ts";
import { execSpawn, type Spawn, Spawner } from "./spawn_io.ts";
import { distrustOf } from "./trusted_path_io.ts";

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
}

/** What a function writes is bounded, so that it goes through the keeper. */
const ALL_PIPES = { stdin: "piped", stdout: "piped", stderr: "piped" } as const;
/** Children get the terminal's or the service's stderr as their own: a log needs no way through the keeper. */
const PIPES = { stdin: "piped", stdout: "piped", stderr: "inherit" } as const;

/** Where the runtime finds what it has compiled and fetched; of no use to a compiled binary. */
const OWN_VARIABLES = ["DENO_DIR", "HOME", "XDG_CACHE_HOME", "TMPDIR"];

export class Programs {
  readonly #log: Log;
  readonly #spawner = new Spawner();
  readonly #stdout = OwnStdout.take();
  #account: Account | null = null;
  /** What was last said of the programs' user, so that a reload does not repeat it. */
  #warned = "";

  constructor(log: Log) {
    this.#log = log;
  }

  /** Replaces the programs of the configuration: absolute paths. Without `user` they run as this process does. */
  allow(programs: readonly string[], user?: ScriptUser): void {
    this.#spawner.allowScripts(programs);
    const { account, warning } = user !== undefined && programs.length > 0
      ? user
      : { account: null, warning: "" };
    this.#account = account;
    if (warning !== "" && warning !== this.#warned) this.#log.warning(warning);
    this.#warned = warning;
    for (const program of new Set(programs)) {
      const distrust = distrustOf(program, account);
      if (distrust !== null) this.#log.warning(`Cannot run a program when it is wanted: ${distrust}`);
    }
  }

  startBalancer({ command, args }: Program): Deno.ChildProcess {
    return unprivileged(() =>
      this.#stdout.lend((env) => this.#spawner.spawn(command, { args: [...args], env, ...PIPES }))
    );
  }

  /** Runs code of others: with no capability, and with no variable of the environment but these. */
  startFunction(program: Program, { memory, env }: FunctionConfig): Deno.ChildProcess {
    const flags = `--max-old-space-size=${
      Math.ceil(memory / 2 ** 20)
    },--disallow-code-generation-from-strings`;
    const given = [...env, ...OWN_VARIABLES].flatMap((name) => {
      const value = Deno.env.get(name);
      return value === undefined ? [] : [[name, value] as const];
    });
    const variables = { ...Object.fromEntries(given), DENO_V8_FLAGS: flags };
    return startApart(this.#spawner, program, { ...ALL_PIPES, env: variables, clearEnv: true });
  }

  /** With all that this one may. */
  startKeeper({ command, args }: Program): Deno.ChildProcess {
    return this.#stdout.lend((env) => this.#spawner.spawn(command, { args: [...args], env, ...PIPES }));
  }

  /** `ip`, `nft`. */
  readonly spawnTool: Spawn = (command, options) => this.#spawner.spawn(command, options);

  readonly spawnScript: ExecSpawn = (path, args, env) => {
    const account = this.#account;
    const distrust = distrustOf(path, account);
    if (distrust !== null) throw new Error(distrust);
    return unprivileged(() => execSpawn(this.#spawner, account)(path, args, env));
  };
}

/** What is to be said of the rights that children get; null: nothing. */
export function rightsOfChildren(): { readonly level: "info" | "warning"; readonly message: string } | null {
  if (Deno.uid() === 0) {
    return { level: "info", message: "running as root: the balancer keeps root too, as it needs its ports" };
  }
  if (mayCallLibc()) return null;
  return { level: "warning", message: "without --allow-ffi the balancer keeps this process's capabilities" };
}

/** Starts this program as one of no capability, for code that is not its own. */
export function startApart(
  spawner: Spawner,
  { command, args }: Program,
  options: Parameters<Spawn>[1],
): Deno.ChildProcess {
  return unprivileged(() => spawner.spawn(command, { args: [...args], ...options }), ALL_CAPABILITIES);
}

/** Whatever the keeper starts has none of its network capabilities, unless all of root's are its own. */
function unprivileged<T>(start: () => T, keptBack = NETWORK_CAPABILITIES): T {
  return Deno.uid() === 0 || !mayCallLibc() ? start() : withoutCapabilities(keptBack, start);
}

function mayCallLibc(): boolean {
  return Deno.permissions.querySync({ name: "ffi" }).state === "granted";
}
