/**
 * Rules about functions: what two routes with one name must have in common, what a module needs to be there, and how many
 * processes there may be. Pure.
 */
import { functionPool } from "./function_pool.ts";
import { functionsOf, MAX_PROCESSES } from "./functions.ts";
import type { Path } from "./problem.ts";
import type { RuleContext } from "./rules.ts";

export function checkFunctions(context: RuleContext): void {
  const first = new Map<string, { readonly settings: string; readonly path: Path }>();
  for (const [at, { routes }] of context.config.listeners.entries()) {
    for (const [index, { action }] of routes.entries()) {
      if (action.kind !== "function") continue;
      const path = ["listeners", at, "routes", index, "function"];
      if (!context.whole(path)) continue;
      checkModule(context, path, action.module);
      const settings = JSON.stringify(action);
      const before = first.get(action.name);
      if (before === undefined) {
        first.set(action.name, { settings, path });
        checkVariables(context, path, action.env);
      } else if (before.settings !== settings) {
        context.error(path, `has the name of ${context.show(before.path)}, "${action.name}", and is another`);
      }
      if (context.given(["pools", functionPool(action.name)])) {
        context.error(["pools", functionPool(action.name)], "is the name of a function's own pool", "key");
      }
    }
  }
  const processes = functionsOf(context.config).reduce((sum, { count }) => sum + count, 0);
  if (processes > MAX_PROCESSES) {
    context.error(
      ["listeners"],
      `has functions with ${processes} processes, and may have ${MAX_PROCESSES}`,
      "key",
    );
  }
}

function checkModule(context: RuleContext, path: Path, file: string): void {
  const long = [...path, "module"];
  if (context.pathKind(file) === "missing") context.error(context.given(long) ? long : path, "is not there");
}

/** The module may do without, so it is no error. */
function checkVariables(context: RuleContext, path: Path, names: readonly string[]): void {
  for (const [at, name] of names.entries()) {
    if (context.env(name) !== undefined) continue;
    const one = [...path, "env", at];
    context.warn(
      context.given(one) ? one : [...path, "env"],
      `names the environment variable ${name}, which is not set`,
    );
  }
}
