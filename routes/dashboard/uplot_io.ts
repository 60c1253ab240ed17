/**
 * The charts' library (uPlot), served by ourselves, so that a page needs nothing from elsewhere.
 *
 * Its files lie in its package, which a compiled program has inside it.
 */
// Imported so that a compiled program has the package; it does nothing outside of a browser.
import "uplot";
import { fileURLToPath } from "node:url";

const FILES = {
  "uplot.js": { path: "uplot/dist/uPlot.iife.min.js", type: "text/javascript; charset=utf-8" },
  "uplot.css": { path: "uplot/dist/uPlot.min.css", type: "text/css; charset=utf-8" },
} as const;

export const CHART_FILES = Object.keys(FILES) as (keyof typeof FILES)[];

/** A file of the library, by the name that it is served as. */
export async function chartFile(
  name: keyof typeof FILES,
): Promise<{ readonly text: string; readonly type: string }> {
  const { path, type } = FILES[name];
  return { text: await Deno.readTextFile(fileURLToPath(import.meta.resolve(path))), type };
}
