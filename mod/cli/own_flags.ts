/** With what this program starts itself again when it runs from source: a compiled binary has its flags inside. */
import { fileURLToPath } from "node:url";
import type { StartBundler } from "../functions/build_io.ts";
import { startApart } from "../runtime/programs_io.ts";
import { ownCommand, Spawner } from "../runtime/spawn_io.ts";

/** Deno looks for it from the working directory on, which may be anywhere. */
const SETTINGS = new URL("../../deno.json", import.meta.url);

/**
 * Has code that is called often compiled for good after 500 calls and not after 3000. Only code that is compiled so calls
 * C directly, and what happens once a connection gets there late: handshakes of TLS cost a tenth more until then.
 */
export const COMPILE_SOONER = "--v8-flags=--invocation-count-for-turbofan=500";

/** What every process has. */
export function ownFlags(): string[] {
  return ["--quiet", "--no-prompt", COMPILE_SOONER, `--config=${fileURLToPath(SETTINGS)}`];
}

/**
 * A process of a function, before it gives up all that its thread does not need: to listen and to connect to these
 * hosts, to read its own program, to know who it is, and libc to become nobody.
 */
export function functionFlags(net: readonly string[]): string[] {
  const hosts = ["127.0.0.1:0", ...net].join(",");
  return [`--allow-net=${hosts}`, "--allow-read", "--allow-env", "--allow-sys=uid", "--allow-ffi"];
}

/** Starts a process that bundles: it only reads. */
export function startBundler(entry: URL): StartBundler {
  const { command, args } = ownCommand(entry, [...ownFlags(), "--allow-read"], ["bundle"]);
  return () =>
    startApart(new Spawner(), { command, args }, { stdin: "piped", stdout: "piped", stderr: "piped" });
}
