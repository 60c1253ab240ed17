/** What the build scripts start: a program to its end, and `git` to say what is being built. */
import { reasonOf } from "../mod/base/reason.ts";
import type { Commit } from "./stamp.ts";

/** Absolute path of the repository. */
export const ROOT = decodeURIComponent(new URL("..", import.meta.url).pathname).replace(/\/$/, "");

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a program in the repository. A program that is not there has the code 127, as in a shell. */
export async function run(
  command: string,
  args: readonly string[],
  more: Record<string, string> = {},
): Promise<Ended> {
  try {
    const env = { NO_COLOR: "1", ...more };
    const options: Deno.CommandOptions = { args: [...args], cwd: ROOT, env, stdin: "null" };
    const { code, stdout, stderr } = await new Deno.Command(command, options).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, out: text(stdout), err: text(stderr) };
  } catch (error) {
    return { code: 127, out: "", err: reasonOf(error) };
  }
}

/** As `run`, and throws with what the program said when it failed; otherwise its output. */
export async function must(
  command: string,
  args: readonly string[],
  more: Record<string, string> = {},
): Promise<string> {
  const { code, out, err } = await run(command, args, more);
  if (code === 0) return out;
  throw new Error(`Cannot build as ${command} ${args[0] ?? ""} failed (${code}): ${(err + out).trim()}`);
}

/** What is being built; null: not from a git repository. */
export async function commitOf(version: string): Promise<Commit | null> {
  const log = await run("git", ["log", "-1", "--format=%h %cd", "--date=format-local:%Y%m%d"], { TZ: "UTC" });
  const [hash, date] = log.out.trim().split(" ");
  if (log.code !== 0 || hash === undefined || date === undefined) return null;
  const [status, tags] = [
    await run("git", ["status", "--porcelain"]),
    await run("git", ["tag", "--points-at", "HEAD"]),
  ];
  const released = tags.out.split("\n").includes(`v${version}`);
  return { hash, date, changed: status.out.trim() !== "", released };
}
