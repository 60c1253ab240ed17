/**
 * Where a configuration is kept: a file; and what it names on this machine. What is in it is not looked at here.
 */
import { reasonOf } from "../base/reason.ts";
import type { PathKind } from "./file_paths.ts";

/** The text of a file. Rejects with a message for people. */
export async function readConfigFile(file: string): Promise<string> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    throw new Error(`Cannot read ${file}: ${whyUnread(error, file)}`, { cause: error });
  }
}

/** What is at a path of this machine. What this user may not see is taken for missing. */
export const pathKind: PathKind = (path) => {
  try {
    return Deno.statSync(path).isDirectory ? "directory" : "other";
  } catch {
    return "missing";
  }
};

function whyUnread(error: unknown, file: string): string {
  if (error instanceof Deno.errors.NotFound) {
    // A task runs where its deno.json is, which is not always where it was asked for.
    return `there is no such file${file.startsWith("/") ? "" : ` in ${Deno.cwd()}`}`;
  }
  if (error instanceof Deno.errors.IsADirectory) return "it is a directory";
  if (error instanceof Deno.errors.PermissionDenied) return "this user may not read it";
  return reasonOf(error);
}
