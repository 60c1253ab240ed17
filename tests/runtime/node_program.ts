/** The whole node as main.ts starts it: `run FILE NODE`, and `balancer` as its child. */
import { smallBuild } from "./small_build.ts";

const [command, file = "", node = "n1"] = Deno.args;
if (command === "balancer") await (await import("../../mod/cli/balancer.ts")).balancer(smallBuild);
const { run } = await import("../../mod/cli/run.ts");
Deno.exit(await run({ file, node, context: null, entry: new URL(import.meta.url) }));
