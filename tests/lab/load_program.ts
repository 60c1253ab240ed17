/** Load of our own on an address, from a namespace, until the end of the input; then it tells how it fared, as JSON. */
import { Load } from "../scenarios/load.ts";

export interface LoadReport {
  readonly answered: number;
  readonly failures: readonly string[];
}

const [hostname = "", port = "80"] = Deno.args;
const kept = new Load({ hostname, port: Number(port), clients: 2 });
const fresh = new Load({ hostname, port: Number(port), clients: 2, perConnection: 1 });
for await (const _ of Deno.stdin.readable);
await Promise.all([kept.stop(), fresh.stop()]);
const report: LoadReport = {
  answered: Math.min(kept.answered, fresh.answered),
  failures: [...kept.failures, ...fresh.failures],
};
console.log(JSON.stringify(report));
