/** The program as its users start it: with arguments, from a directory, with an environment. */

export const PROGRAM = new URL("../../main.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;
const PERMISSIONS = [
  "--allow-net",
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-sys",
  "--allow-run",
  "--allow-ffi",
];

/** What the runtime is called with, before the program's own arguments. */
export const RUN = [
  "run",
  "--quiet",
  "--no-prompt",
  "--no-check",
  `--config=${CONFIG}`,
  ...PERMISSIONS,
  PROGRAM,
];

export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Surroundings {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
}

/** The program, not started yet. */
export function tandemCommand(args: readonly string[], { cwd, env }: Surroundings = {}): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: [...RUN, ...args],
    env: { NO_COLOR: "1", TANDEM_NODE: "", TANDEM_CONTEXT: "", ...env },
    ...(cwd === undefined ? {} : { cwd }),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

/** Runs it to its end. */
export async function tandem(args: readonly string[], surroundings: Surroundings = {}): Promise<Said> {
  const { code, stdout, stderr } = await tandemCommand(args, surroundings).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

export async function withDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "tandem-cli-" });
  try {
    await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}
