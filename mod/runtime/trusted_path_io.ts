/**
 * May a program of the configuration be run with the keeper's rights? Not when somebody else could put another in its
 * place: the file and every directory above it must belong to root or to us, and nobody else may write there.
 */
import { dirname } from "node:path";

const WRITABLE_BY_GROUP = 0o020;
const WRITABLE_BY_ALL = 0o002;
/** In such a directory (/tmp) others may make files, but not replace ours. */
const STICKY = 0o1000;

/** Why the program cannot be trusted; null: it can. Links are followed first. */
export function distrustOf(path: string): string | null {
  let real: string;
  try {
    real = Deno.realPathSync(path);
  } catch (error) {
    return `${path} cannot be found: ${error instanceof Error ? error.message : error}`;
  }
  for (let at = real;; at = dirname(at)) {
    const problem = problemOf(at);
    if (problem !== null) return `${at} ${problem}`;
    if (at === dirname(at)) return null;
  }
}

function problemOf(path: string): string | null {
  const { uid, gid, mode, isDirectory } = Deno.lstatSync(path);
  if (uid !== 0 && uid !== Deno.uid()) return `belongs to another user (uid ${uid})`;
  if (mode === null || (isDirectory && (mode & STICKY) !== 0)) return null;
  if ((mode & WRITABLE_BY_ALL) !== 0) return "is writable by everybody";
  const othersGroup = gid !== 0 && gid !== Deno.gid();
  return othersGroup && (mode & WRITABLE_BY_GROUP) !== 0 ? `is writable by a group (gid ${gid})` : null;
}
