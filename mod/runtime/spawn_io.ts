/**
 * The only file that starts processes. What may be started is a list: `ip`, `nft`, this program itself, and the
 * scripts that the keeper's own configuration names. The balancer's words never reach the list.
 */

import type { Account } from "../base/accounts.ts";
import type { ExecSpawn } from "../health/exec_io.ts";

/** Tools that are found by name, along the PATH. */
const TOOLS: readonly string[] = ["ip", "nft"];
/** Those of who only looks at the machine (`tandem doctor`), and never of a node. */
export const LOOKING_TOOLS: readonly string[] = [...TOOLS, "systemctl"];

/**
 * This program, as its file was called when it started. The runtime asks the kernel anew each time, which answers
 * "deleted" once the file was replaced by a new version: a balancer that dies then could not be started again.
 */
const OWN_PROGRAM = Deno.execPath();

/** What an executor that must run something is given. */
export type Spawn = (command: string, options: Deno.CommandOptions) => Deno.ChildProcess;

export class Spawner {
  readonly #tools: readonly string[];
  #scripts: ReadonlySet<string> = new Set();

  /** `tools`: those of another list, for a command that only looks at the machine. */
  constructor(tools: readonly string[] = TOOLS) {
    this.#tools = tools;
  }

  /** Replaces the scripts that may run: absolute paths, from the configuration in force. */
  allowScripts(paths: Iterable<string>): void {
    const scripts = new Set(paths);
    for (const path of scripts) {
      if (!path.startsWith("/")) {
        throw new Error(`Cannot allow a script as its path is not absolute: ${path}`);
      }
    }
    this.#scripts = scripts;
  }

  /** Starts a process, or throws: what is not on the list, and what the system refuses. */
  readonly spawn: Spawn = (command, options) => {
    if (!this.#tools.includes(command) && command !== OWN_PROGRAM && !this.#scripts.has(command)) {
      throw new Error(`Cannot run a program that the configuration does not name: ${command}`);
    }
    return new Deno.Command(command, options).spawn();
  };
}

/** How this program starts itself again: the compiled binary, or Deno with what it was started from. */
export function ownCommand(
  entry: URL,
  flags: readonly string[],
  args: readonly string[],
): { command: string; args: string[] } {
  if (Deno.build.standalone) return { command: OWN_PROGRAM, args: [...args] };
  return { command: OWN_PROGRAM, args: ["run", ...flags, entry.href, ...args] };
}

/**
 * The spawner as the exec check wants it: no input, a clean environment, both outputs piped.
 *
 * `as`: another user. Then the runtime drops every supplementary group before it changes the user, and with the last
 * id of root the kernel drops all capabilities, the ambient ones too.
 */
export function execSpawn(spawner: Spawner, as: Account | null = null): ExecSpawn {
  return (path, args, env) => {
    const process = spawner.spawn(path, {
      args: [...args],
      env: { ...env },
      clearEnv: true,
      ...(as === null ? {} : { uid: as.uid, gid: as.gid }),
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
    return {
      stdout: process.stdout,
      stderr: process.stderr,
      status: process.status,
      kill: () => process.kill("SIGKILL"),
    };
  };
}
