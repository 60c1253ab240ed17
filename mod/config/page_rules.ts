/**
 * Reads the files that hold answers: error pages and the bodies of fixed answers. Pure: how is a parameter.
 */
import type { NamedFiles } from "./named_files.ts";
import type { Path } from "./problem.ts";
import type { RuleContext } from "./rules.ts";

export function checkPages(context: RuleContext, files: NamedFiles): void {
  const check = (path: Path, file: string) => {
    const read = files.read(file, "page");
    if (read !== null && "problem" in read) context.error(path, read.problem);
  };
  const checkAll = (path: Path, pages: Readonly<Record<string, string>> | undefined) => {
    for (const [statuses, file] of Object.entries(pages ?? {})) {
      check([...path, "errorPages", statuses], file);
    }
  };
  for (const [at, { routes, errorPages }] of context.config.listeners.entries()) {
    const path = ["listeners", at];
    checkAll(path, errorPages);
    for (const [index, route] of routes.entries()) {
      const where = [...path, "routes", index];
      checkAll(where, route.errorPages);
      const { action } = route;
      if (action.kind === "respond" && action.file !== undefined) {
        check([...where, "respond", "file"], action.file);
      }
    }
  }
}
