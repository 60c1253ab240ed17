/**
 * The base runtime that `deno compile` puts a program into: which machine it is for, and what to say when there is none.
 * Pure.
 */

export const TARGETS = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"] as const;

/** Bytes of a file by which its machine is known. */
export const HEADER_BYTES = 20;
/** `e_machine` of ELF: EM_X86_64 and EM_AARCH64. */
const MACHINES: ReadonlyMap<number, typeof TARGETS[number]> = new Map([
  [0x3e, "x86_64-unknown-linux-gnu"],
  [0xb7, "aarch64-unknown-linux-gnu"],
]);

/** The target that a program is for, by its first bytes; null: none of ours. */
export function targetOf(header: Uint8Array): typeof TARGETS[number] | null {
  const isElf = header.length >= HEADER_BYTES &&
    [0x7f, 0x45, 0x4c, 0x46].every((byte, at) => header[at] === byte);
  return isElf ? MACHINES.get(header[18]! | header[19]! << 8) ?? null : null;
}

/** What is missing, where `deno compile` failed for want of it; null: it failed for another reason. */
export function whatIsMissing(said: string, target: string, version: string): string | null {
  if (!/denort|base binary/.test(said)) return null;
  return `What is missing is the base runtime of Deno ${version} for ${target}: deno compile fetches it the first time ` +
    `(denort-${target}.zip of Deno's releases). Offline, unpack it from where there is a network, and name the file ` +
    `by DENORT_BIN.`;
}
