/**
 * Sends everything that the console prints to standard error, as standard output is the link to the keeper.
 *
 * Imported for its effect, before any other module, in the balancer and in every worker: a line that a library
 * prints must not break the link. It knows nothing else.
 */

const PRINTING = ["log", "info", "debug", "dir", "dirxml", "table", "count", "timeLog", "timeEnd"] as const;

for (const method of PRINTING) console[method] = (...values: unknown[]) => console.error(...values);
// Groups print their labels, and would indent what follows.
for (const method of ["group", "groupCollapsed"] as const) {
  console[method] = (...values: unknown[]) => console.error(...values);
}
