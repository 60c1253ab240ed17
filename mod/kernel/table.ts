/**
 * A table of nft as a model, and the text of one transaction that makes the kernel's be like it. Pure.
 *
 * Rules are replaced as a whole. Counters and sets stay, so that what was counted and remembered is not lost; what no
 * longer has a place in the model is deleted. All of it happens at once or, after any error, not at all.
 */

export interface Table {
  readonly family: "inet" | "netdev";
  readonly name: string;
  readonly counters: readonly string[];
  readonly sets: readonly AddressSet[];
  readonly chains: readonly Chain[];
}

export type TableId = Pick<Table, "family" | "name">;

/** What a counter has counted. */
export interface Count {
  readonly packets: number;
  readonly bytes: number;
}

/** Remembers addresses for a while. */
export interface AddressSet {
  readonly name: string;
  readonly family: 4 | 6;
  readonly seconds: number;
  readonly entries: number;
  /** What it remembers is to be forgotten. */
  readonly flush: boolean;
}

export interface Chain {
  readonly name: string;
  /** Where the kernel enters it; without, only other chains do. */
  readonly hook?: string;
  readonly rules: readonly string[];
}

/** Names of what a table in the kernel holds. */
export interface Objects {
  readonly chains: readonly string[];
  readonly counters: readonly string[];
  readonly sets: readonly string[];
}

export const NO_OBJECTS: Objects = { chains: [], counters: [], sets: [] };

export function objectsOf({ chains, counters, sets }: Table): Objects {
  const names = (items: readonly { readonly name: string }[]) => items.map(({ name }) => name);
  return { chains: names(chains), counters, sets: names(sets) };
}

/** Input of `nft -f -` that takes away what is there (`before`) and has no place in the table, after its rules. */
export function staleText(table: Table, before: Objects): string {
  const { family, name } = table;
  const where = `${family} ${name}`;
  const now = objectsOf(table);
  const gone = (kind: keyof Objects, word: string) =>
    before[kind].filter((one) => !now[kind].includes(one)).map((one) => `delete ${word} ${where} ${one}\n`);
  return [
    ...gone("chains", "chain"),
    ...gone("sets", "set"),
    ...gone("counters", "counter"),
  ].join("");
}

/** Input of `nft -f -` that makes all of a table, in the place of the rules that are there. */
export function tableText(table: Table): string {
  const where = `${table.family} ${table.name}`;
  const forgotten = table.sets.filter(({ flush }) => flush);
  return `add table ${where}\nflush table ${where}\n` + contentText(table) +
    forgotten.map((set) => `flush set ${where} ${set.name}\n`).join("");
}

/** Input of `nft -f -` that takes the table away, whether it is there or not. */
export function removeTable({ family, name }: TableId): string {
  return `add table ${family} ${name}\ndelete table ${family} ${name}\n`;
}

function contentText({ family, name, counters, sets, chains }: Table): string {
  let text = `table ${family} ${name} {\n`;
  for (const counter of counters) text += `  counter ${counter} {\n  }\n`;
  for (const set of sets) {
    text += `  set ${set.name} {\n    type ipv${set.family}_addr\n    flags dynamic,timeout\n` +
      `    timeout ${set.seconds}s\n    size ${set.entries}\n  }\n`;
  }
  for (const chain of chains) {
    text += `  chain ${chain.name} {\n`;
    if (chain.hook !== undefined) text += `    ${chain.hook}\n`;
    for (const rule of chain.rules) text += `    ${rule}\n`;
    text += "  }\n";
  }
  return text + "}\n";
}
