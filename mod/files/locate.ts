/**
 * Which file answers a request: the candidates of `tryFiles` one after the other, directories by their index files.
 * Pure: what is at a path is asked through a function.
 */
import type { FilesAction } from "../config/snapshot.ts";
import type { FilePath } from "./request_path.ts";
import type { Entry, FileEntry, OtherEntry } from "./store.ts";

export type Located =
  | { readonly kind: "file"; readonly path: string; readonly entry: FileEntry }
  | { readonly kind: "listing"; readonly path: string; readonly entry: OtherEntry }
  /** To the same path with a slash at its end, so that relative links lead below it. */
  | { readonly kind: "slash" }
  | { readonly kind: "none"; readonly why: "missing" | "forbidden" | "failed" };

/** What `tryFiles` calls the path of the request. */
export const PATH_VARIABLE = "$path";

/** Finds it. `look` says what is at a path below the root. */
export function locate(action: FilesAction, { path }: FilePath, look: (path: string) => Entry): Located {
  let forbidden = false;
  for (const candidate of action.tryFiles) {
    const tried = fill(candidate, path);
    if (tried === null) continue;
    const slash = tried === "" || tried.endsWith("/");
    const bare = slash ? tried.slice(0, -1) : tried;
    const entry = look(bare);
    if (entry.kind === "failed") return { kind: "none", why: "failed" };
    if (entry.kind === "denied") forbidden = true;
    // A file is no directory: `/a.txt/` names nothing.
    else if (entry.kind === "file" && !slash) return { kind: "file", path: bare, entry };
    else if (entry.kind === "directory") {
      const found = inDirectory(action, bare, entry, look);
      const asked = candidate === PATH_VARIABLE && (tried === "" || !slash);
      if (found !== null) return asked && found.kind !== "none" ? { kind: "slash" } : found;
      forbidden = true;
    }
  }
  return { kind: "none", why: forbidden ? "forbidden" : "missing" };
}

/** A candidate for this path; null: there is none. Behind a variable an ending goes to the name, not to its slash. */
function fill(candidate: string, path: string): string | null {
  if (!candidate.startsWith(PATH_VARIABLE)) return candidate;
  const ending = candidate.slice(PATH_VARIABLE.length);
  if (ending === "") return path;
  const bare = path.endsWith("/") ? path.slice(0, -1) : path;
  return bare === "" && !ending.startsWith("/") ? null : bare + ending;
}

function inDirectory(
  action: FilesAction,
  path: string,
  entry: OtherEntry,
  look: (path: string) => Entry,
): Located | null {
  for (const name of action.index) {
    const index = `${path}/${name}`;
    const found = look(index);
    if (found.kind === "file") return { kind: "file", path: index, entry: found };
    if (found.kind === "failed") return { kind: "none", why: "failed" };
  }
  return action.listing ? { kind: "listing", path, entry } : null;
}
