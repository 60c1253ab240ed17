/**
 * Runs the HTTP/1 cases against an installed HAProxy, which validates the cases: a proxy that is known to be good
 * agrees with most, and where it does not, it is known why. `deno run -A tests/conformance/http1_compare.ts` prints
 * what is not as `haproxy_2.6.json` tells; with `--write` it writes that file anew.
 */
import { CASES } from "./http1_cases.ts";
import { runCase, type Subject } from "./http1_runner.ts";
import { RawSocket } from "./raw_socket.ts";
import { RecordingServer } from "./recording_server.ts";

/** Name of a case, and the first thing that is not as it says. */
const KNOWN = new URL("haproxy_2.6.json", import.meta.url);

/** A port that was free a moment ago. */
function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  return (listener.addr as Deno.NetAddr).port;
}

function configuration(port: number, serverPort: number): string {
  return `global
  nbthread 1
defaults
  mode http
  retries 0
  timeout client 30s
  timeout server 30s
  timeout connect 3s
frontend web
  bind 127.0.0.1:${port}
  default_backend app
backend app
  server s1 127.0.0.1:${serverPort}
`;
}

async function listening(address: { hostname: string; port: number }): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    try {
      return await (await RawSocket.connect(address)).close();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  throw new Error(`Cannot reach HAProxy on port ${address.port}`);
}

/** Prints what differs from the known differences. */
async function tellNews(found: Record<string, string>): Promise<void> {
  const known = JSON.parse(await Deno.readTextFile(KNOWN)) as Record<string, string>;
  for (const { name } of CASES) {
    if (known[name] !== found[name]) {
      console.log(`${name}\n  known: ${known[name] ?? "agrees"}\n  found: ${found[name] ?? "agrees"}`);
    }
  }
}

async function main(): Promise<void> {
  // Many cases fail here, and each failure waits.
  RawSocket.patienceMs = 400;
  const server = new RecordingServer();
  const address = { hostname: "127.0.0.1", port: freePort() };
  const path = await Deno.makeTempFile({ suffix: ".cfg" });
  await Deno.writeTextFile(path, configuration(address.port, server.port));
  const haproxy = new Deno.Command("haproxy", { args: ["-db", "-f", path], stdout: "null", stderr: "null" })
    .spawn();
  const subject: Subject = { address, trustedAddress: address, checkRequest: () => [] };
  try {
    await listening(address);
    const found: Record<string, string> = {};
    for (const each of CASES) {
      const [problem] = await runCase(each, subject, server);
      if (problem !== undefined) found[each.name] = problem;
    }
    if (Deno.args.includes("--write")) await Deno.writeTextFile(KNOWN, `${JSON.stringify(found, null, 2)}\n`);
    else await tellNews(found);
    console.log(`${CASES.length} cases, HAProxy differs in ${Object.keys(found).length}`);
  } finally {
    haproxy.kill("SIGTERM");
    await haproxy.status;
    await server.close();
    await Deno.remove(path);
  }
}

if (import.meta.main) await main();
