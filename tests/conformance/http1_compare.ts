/**
 * Runs the HTTP/1 cases against an installed HAProxy, which validates the cases and the notes in them:
 * `deno run -A tests/conformance/http1_compare.ts` prints every difference that no note tells of.
 */
import { CASES } from "./http1_cases.ts";
import { runCase, type Subject } from "./http1_runner.ts";
import { RawSocket } from "./raw_socket.ts";
import { RecordingServer } from "./recording_server.ts";

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

async function main(): Promise<void> {
  const server = new RecordingServer();
  const address = { hostname: "127.0.0.1", port: freePort() };
  const path = await Deno.makeTempFile({ suffix: ".cfg" });
  await Deno.writeTextFile(path, configuration(address.port, server.port));
  const haproxy = new Deno.Command("haproxy", { args: ["-db", "-f", path], stdout: "null", stderr: "null" })
    .spawn();
  const subject: Subject = { address, trustedAddress: address, checkRequest: () => [] };
  try {
    await listening(address);
    let different = 0;
    for (const each of CASES) {
      const problems = await runCase(each, subject, server);
      if (problems.length > 0) different++;
      if (problems.length > 0 && each.haproxy === undefined) {
        console.log(`differs: ${each.name}\n  ${problems.join("\n  ")}`);
      }
      if (problems.length === 0 && each.haproxy !== undefined) {
        console.log(`agrees: ${each.name} (noted: ${each.haproxy})`);
      }
    }
    console.log(`${CASES.length} cases, HAProxy differs in ${different}`);
  } finally {
    haproxy.kill("SIGTERM");
    await haproxy.status;
    await server.close();
    await Deno.remove(path);
  }
}

if (import.meta.main) await main();
