import { assert, assertEquals } from "../assert.ts";
import { CASES } from "./http1_cases.ts";
import { runCase } from "./http1_runner.ts";
import { RecordingServer } from "./recording_server.ts";
import { startTandem } from "./subject.ts";

Deno.test("cases() have names of their own", () => {
  const names = CASES.map((each) => each.name);
  assertEquals(names.filter((name, i) => names.indexOf(name) !== i), []);
  assert(CASES.length >= 120);
});

// `-- --only=TEXT` runs the cases with that text in their names.
const only = Deno.args.find((arg) => arg.startsWith("--only="))?.slice("--only=".length) ?? "";

for (const engine of ["epoll", "deno"]) {
  Deno.test(`Dataplane on ${engine} answers HTTP/1 as the cases say, from the outside`, (t) =>
    runAll(t, engine));
}

async function runAll(t: Deno.TestContext, engine: string): Promise<void> {
  const server = new RecordingServer();
  const tandem = await startTandem(server.port, engine);
  try {
    for (const each of CASES.filter(({ name }) => name.includes(only))) {
      // What is open between the steps is the subject; the whole test checks that all of it is closed.
      await t.step({
        name: each.name,
        sanitizeOps: false,
        sanitizeResources: false,
        fn: async () => assertEquals(await runCase(each, tandem, server), []),
      });
    }
    assertEquals(tandem.errors, []);
  } finally {
    await tandem.close();
    await server.close();
  }
}

Deno.test("Dataplane survives a malformed body that has come before the server is reached", async () => {
  const server = new RecordingServer();
  const tandem = await startTandem(server.port);
  try {
    const each = CASES.find(({ name }) => name === 'RFC 9112 section 7.1: chunk size "g"')!;
    // A data plane just started has no connection to the server yet.
    assertEquals(await runCase(each, tandem, server), []);
    assertEquals(tandem.errors, []);
  } finally {
    await tandem.close();
    await server.close();
  }
});
