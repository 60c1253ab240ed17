/** Prints the ambient set of two children, one started without the network capabilities, as JSON. */
import { NETWORK_CAPABILITIES, withoutCapabilities } from "../../mod/runtime/ambient_io.ts";

function start(): Deno.ChildProcess {
  return new Deno.Command("/bin/grep", { args: ["CapAmb", "/proc/self/status"], stdout: "piped" }).spawn();
}

async function ambient(child: Deno.ChildProcess): Promise<string> {
  return new TextDecoder().decode((await child.output()).stdout).split(/\s+/)[1] ?? "";
}

const without = await ambient(withoutCapabilities(NETWORK_CAPABILITIES, start));
console.log(JSON.stringify({ without, after: await ambient(start()) }));
