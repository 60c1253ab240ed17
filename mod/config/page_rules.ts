/**
 * Reads the files that hold answers (error pages, the bodies of fixed answers) and credentials. Pure: how is a parameter.
 */
import { keysProblem, usersOf } from "./auth_build.ts";
import type { GuardsConfig } from "./guard_schema.ts";
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
  for (const [at, listener] of context.config.listeners.entries()) {
    const { routes, errorPages } = listener;
    const path = ["listeners", at];
    checkAll(path, errorPages);
    checkCredentials(context, files, listener, path);
    for (const [index, route] of routes.entries()) {
      const where = [...path, "routes", index];
      checkAll(where, route.errorPages);
      checkCredentials(context, files, route, where);
      const { action, fallback } = route;
      if (action.kind === "respond" && action.file !== undefined) {
        check([...where, "respond", "file"], action.file);
      }
      const page = fallback?.respond?.file;
      if (page !== undefined) check([...where, "fallback", "respond", "file"], page);
    }
  }
}

function checkCredentials(context: RuleContext, files: NamedFiles, place: GuardsConfig, path: Path): void {
  const check = (where: Path, file: string, problemOf: (text: string) => string | null) => {
    const read = files.read(file, "page");
    if (read === null) return;
    const problem = "problem" in read ? read.problem : problemOf(read.text);
    if (problem !== null) context.error(where, "problem" in read ? problem : `${file}: ${problem}`);
  };
  const { basicAuth, jwt } = place;
  if (basicAuth && basicAuth.file !== undefined) {
    check([...path, "basicAuth", "file"], basicAuth.file, (text) => usersOf(text).problem);
  }
  if (jwt && jwt.keys !== undefined) check([...path, "jwt", "keys"], jwt.keys, keysProblem);
}
