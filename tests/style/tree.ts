/** The files of the repository and what their names promise. Knows nothing of what is in them. */

/** Absolute path of the repository, without a slash at its end. */
export const ROOT = decodeURIComponent(new URL("../..", import.meta.url).pathname).replace(/\/$/, "");
const SKIPPED_DIRECTORIES = new Set([".git", "node_modules", "dist", ".cache"]);

/** Every file of the working tree, as paths relative to the root, sorted. */
export function files(directory = ""): string[] {
  const found: string[] = [];
  for (const entry of Deno.readDirSync(`${ROOT}/${directory}`)) {
    const path = directory === "" ? entry.name : `${directory}/${entry.name}`;
    if (entry.isFile) found.push(path);
    else if (entry.isDirectory && !SKIPPED_DIRECTORIES.has(entry.name)) found.push(...files(path));
  }
  return found.sort();
}

export function read(path: string): string {
  return Deno.readTextFileSync(`${ROOT}/${path}`);
}

/**
 * True for a file that may see no `Deno`, timers, console, clock or randomness: TypeScript in `mod/` and `vrrp/`
 * whose name does not end in `_io.ts`. The commands are edges too.
 */
export function isPure(path: string): boolean {
  return /^(mod|vrrp)\/.*\.ts$/.test(path) && !path.endsWith("_io.ts") &&
    !path.startsWith("mod/cli/");
}
