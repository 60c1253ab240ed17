/**
 * The kernel's rules through `nft`: one transaction in, what is there out. It knows no plan and decides nothing.
 */
import { type Count, NO_OBJECTS, type Objects, type TableId } from "../kernel/table.ts";
import type { Spawn } from "./spawn_io.ts";

/** What `nft -j` says, as far as it is read here. */
interface Listed {
  readonly chain?: { readonly name: string };
  readonly set?: { readonly name: string };
  readonly counter?: { readonly name: string } & Count;
}

export class Nft {
  readonly #spawn: Spawn;

  constructor(spawn: Spawn) {
    this.#spawn = spawn;
  }

  /** Runs one transaction; `dry`: only sees whether it could be. Null when it is done, otherwise why nothing was. */
  async apply(text: string, dry = false): Promise<string | null> {
    const { problem } = await this.#run([...(dry ? ["-c"] : []), "-f", "-"], text);
    return problem;
  }

  /** Names of what a table holds; null when there is none, or when it cannot be read. */
  async objects({ family, name }: TableId): Promise<Objects | null> {
    // -t: without what sets have learned.
    const { problem, output } = await this.#run(["-j", "-t", "list", "table", family, name]);
    if (problem !== null) return null;
    const all = listed(output);
    return all.length === 0 ? NO_OBJECTS : {
      chains: all.flatMap(({ chain }) => chain?.name ?? []),
      sets: all.flatMap(({ set }) => set?.name ?? []),
      counters: all.flatMap(({ counter }) => counter?.name ?? []),
    };
  }

  /** The counters of a table by name; null when it is not there, or cannot be read. */
  async counters({ family, name }: TableId): Promise<ReadonlyMap<string, Count> | null> {
    const { problem, output } = await this.#run(["-j", "list", "counters", "table", family, name]);
    if (problem !== null) return null;
    return new Map(
      listed(output).flatMap(({ counter }) => counter === undefined ? [] : [[counter.name, counter]]),
    );
  }

  async #run(args: readonly string[], input = ""): Promise<{ problem: string | null; output: string }> {
    let child: Deno.ChildProcess;
    try {
      child = this.#spawn("nft", { args: [...args], stdin: "piped", stdout: "piped", stderr: "piped" });
    } catch (error) {
      const missing = error instanceof Deno.errors.NotFound;
      const problem = missing
        ? "nft is not installed (Debian: nftables)"
        : `nft cannot be run: ${reason(error)}`;
      return { problem, output: "" };
    }
    const writing = child.stdin.getWriter();
    // A program that ended without reading tells why in its output.
    const written = writing.write(new TextEncoder().encode(input)).then(() => writing.close()).catch(
      () => {},
    );
    const [{ success, stdout, stderr }] = await Promise.all([child.output(), written]);
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { problem: success ? null : firstError(text(stderr)), output: text(stdout) };
  }
}

function listed(output: string): readonly Listed[] {
  const { nftables } = JSON.parse(output) as { nftables: readonly Listed[] };
  return nftables;
}

/** The first complaint without its quotation of the input, which may be long. */
function firstError(text: string): string {
  const line = text.split("\n").find((each) => /error/i.test(each)) ?? text.split("\n")[0] ?? "";
  return line.replace(/^\/dev\/stdin:/, "").slice(0, 300) || "nft failed without a word";
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
