/**
 * The kernel's rules through `nft`: one transaction in, what is there out. It knows no plan and decides nothing.
 */
import { type Count, NO_OBJECTS, type Objects, type TableId } from "../kernel/table.ts";
import { type Output, output } from "./output_io.ts";
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
    const { problem, output: told } = await this.#run(["-j", "-t", "list", "table", family, name]);
    if (problem !== null) return null;
    const all = listed(told);
    return all.length === 0 ? NO_OBJECTS : {
      chains: all.flatMap(({ chain }) => chain?.name ?? []),
      sets: all.flatMap(({ set }) => set?.name ?? []),
      counters: all.flatMap(({ counter }) => counter?.name ?? []),
    };
  }

  /** The counters of a table by name; null when it is not there, or cannot be read. */
  async counters({ family, name }: TableId): Promise<ReadonlyMap<string, Count> | null> {
    const { problem, output: told } = await this.#run(["-j", "list", "counters", "table", family, name]);
    if (problem !== null) return null;
    return new Map(
      listed(told).flatMap(({ counter }) => counter === undefined ? [] : [[counter.name, counter]]),
    );
  }

  #run(args: readonly string[], input = ""): Promise<Output> {
    return output(this.#spawn, "nft", args, input);
  }
}

function listed(told: string): readonly Listed[] {
  const { nftables } = JSON.parse(told) as { nftables: readonly Listed[] };
  return nftables;
}
