/**
 * Takes down what a lab left behind whose process was killed: its namespaces with what runs in them, and its files.
 * It goes by names alone, `PREFIX-PID-…`; a lab of another process that lives is left alone, and so
 * is every other name. Our own is swept too: before there is one it can only be of an earlier process of our number.
 */
import { requireTool } from "./tools.ts";

/** The prefix of a lab of this process, which a later sweep finds. */
export function sweepable(prefix: string): string {
  return `${prefix}-${Deno.pid}`;
}

/** Returns the namespaces that it took down. */
export async function sweep(prefix: string): Promise<string[]> {
  const orphaned = (name: string) => isOrphan(name, prefix);
  const namespaces = (await ip("list")).map((line) => line.split(" ")[0]!).filter(orphaned);
  for (const namespace of namespaces) {
    for (const pid of await ip("pids", namespace)) kill(Number(pid));
    await ip("del", namespace);
  }
  const directory = temporary();
  for (const { name } of [...Deno.readDirSync(directory)].filter(({ name }) => orphaned(name))) {
    // A start that was broken off may be about to remove it itself.
    await Deno.remove(`${directory}/${name}`, { recursive: true }).catch(ignoreAbsent);
  }
  return namespaces;
}

function isOrphan(name: string, prefix: string): boolean {
  if (!name.startsWith(`${prefix}-`)) return false;
  const [pid] = name.slice(prefix.length + 1).split("-");
  return /^\d+$/.test(pid!) && (Number(pid) === Deno.pid || !lives(Number(pid)));
}

function lives(pid: number): boolean {
  try {
    return Deno.statSync(`/proc/${pid}`).isDirectory;
  } catch {
    return false;
  }
}

/** Where `Deno.makeTempDir` makes them. */
function temporary(): string {
  return Deno.env.get("TMPDIR") || "/tmp";
}

async function ip(...args: string[]): Promise<string[]> {
  const tool = requireTool("ip");
  if ("skip" in tool) throw new Error(`Cannot sweep: it ${tool.skip}`);
  const { stdout } = await new Deno.Command(tool.path, { args: ["netns", ...args], stderr: "null" }).output();
  return new TextDecoder().decode(stdout).split("\n").filter((line) => line !== "");
}

function ignoreAbsent(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

function kill(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}
