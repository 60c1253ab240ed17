/**
 * May a program of the configuration be run with the rights of some user? Not when anybody else could put another in
 * its place: the file and every directory above it must belong to root or to that user, and nobody else may write
 * there. What that user itself could replace gives it no rights that it has not got.
 */
import { dirname } from "node:path";
import type { Account } from "../base/accounts.ts";
import { reasonOf } from "../base/reason.ts";

const WRITABLE_BY_GROUP = 0o020;
const WRITABLE_BY_ALL = 0o002;
/** In such a directory (/tmp) others may make files, but not replace ours. */
const STICKY = 0o1000;

/** Why the program cannot be trusted; null: it can. Links are followed first. `as`: who runs it; null: this process. */
export function distrustOf(path: string, as: Account | null = null): string | null {
  const who = as ?? { uid: Deno.uid() ?? 0, gid: Deno.gid() ?? 0 };
  let real: string;
  try {
    real = Deno.realPathSync(path);
  } catch (error) {
    return `${path} cannot be found: ${reasonOf(error)}`;
  }
  for (let at = real;; at = dirname(at)) {
    const problem = problemOf(at, who);
    if (problem !== null) return `${at} ${problem}`;
    if (at === dirname(at)) return null;
  }
}

function problemOf(path: string, who: Account): string | null {
  const { uid, gid, mode, isDirectory } = Deno.lstatSync(path);
  if (uid !== 0 && uid !== who.uid) return `belongs to another user (uid ${uid})`;
  if (mode === null || (isDirectory && (mode & STICKY) !== 0)) return null;
  if ((mode & WRITABLE_BY_ALL) !== 0) return "is writable by everybody";
  const othersGroup = gid !== 0 && gid !== who.gid;
  return othersGroup && (mode & WRITABLE_BY_GROUP) !== 0 ? `is writable by a group (gid ${gid})` : null;
}
