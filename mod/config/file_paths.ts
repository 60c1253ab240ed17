/**
 * Paths of a configuration: relative ones start from the directory of its file. Pure, and about text only.
 */

/** What is at a path. */
export type PathKind = (path: string) => "directory" | "missing" | "other";

/** The directory that a file is in, as a path that can be used as the file's own can. */
export function directoryOf(file: string): string {
  const slash = file.lastIndexOf("/");
  return slash < 0 ? "." : slash === 0 ? "/" : file.slice(0, slash);
}

/** A path of the configuration, seen from where the program runs. */
export function pathFrom(directory: string, path: string): string {
  return path.startsWith("/") ? path : directory === "/" ? `/${path}` : `${directory}/${path}`;
}
