/**
 * Runs a tool of the system to its end: input in, output or the first complaint out.
 */
import { reasonOf } from "../base/reason.ts";
import type { Spawn } from "./spawn_io.ts";

export interface Output {
  /** Null: it succeeded. */
  readonly problem: string | null;
  readonly output: string;
}

/** Debian's packages of the tools that the keeper runs. */
const PACKAGES: Readonly<Record<string, string>> = { nft: "nftables", ip: "iproute2" };
/** Of a complaint, which may quote all of a long input. */
const MOST = 300;

export async function output(
  spawn: Spawn,
  tool: string,
  args: readonly string[],
  input = "",
): Promise<Output> {
  let child: Deno.ChildProcess;
  try {
    child = spawn(tool, { args: [...args], stdin: "piped", stdout: "piped", stderr: "piped" });
  } catch (error) {
    const missing = error instanceof Deno.errors.NotFound;
    const problem = missing
      ? `${tool} is not installed (Debian: ${PACKAGES[tool] ?? tool})`
      : `${tool} cannot be run: ${reasonOf(error)}`;
    return { problem, output: "" };
  }
  const writing = child.stdin.getWriter();
  // A program that ended without reading tells why in its output.
  const written = writing.write(new TextEncoder().encode(input)).then(() => writing.close()).catch(() => {});
  const [{ success, stdout, stderr }] = await Promise.all([child.output(), written]);
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { problem: success ? null : firstComplaint(tool, text(stderr)), output: text(stdout) };
}

/** The first complaint, without what it quotes of the input. */
function firstComplaint(tool: string, text: string): string {
  const line = text.split("\n").find((each) => /error/i.test(each)) ?? text.split("\n")[0] ?? "";
  return line.replace(/^\/dev\/stdin:/, "").slice(0, MOST) || `${tool} failed without a word`;
}
