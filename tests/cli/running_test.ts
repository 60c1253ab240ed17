/** Commands that run until they are stopped, and those that ask one that runs. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { freePort, tandem, tandemCommand, withDirectory } from "./tandem.ts";

/** The lines of a stream as they come; the end of the stream is the end of the lines. */
async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

/** The next line that matches. */
async function lineWith(lines: AsyncGenerator<string>, pattern: RegExp): Promise<RegExpMatchArray> {
  const seen: string[] = [];
  for (let next = await lines.next(); next.done !== true; next = await lines.next()) {
    seen.push(next.value);
    const match = pattern.exec(next.value);
    if (match !== null) return match;
  }
  throw new Error(`No line matches ${pattern}:\n${seen.join("\n")}`);
}

interface Share {
  readonly requests: number;
  readonly errors: number;
  /** Per cent of the answers, by server. */
  readonly shares: Readonly<Record<string, number>>;
}

function shareOf(line: string): Share | null {
  const totals = /^ *(\d+) requests\/s +(\d+) errors/.exec(line);
  if (totals === null) return null;
  const shares = [...line.matchAll(/([abc]) [█·]+ +(\d+)%/g)].map((
    [, name, share],
  ) => [name!, Number(share)]);
  return { requests: Number(totals[1]), errors: Number(totals[2]), shares: Object.fromEntries(shares) };
}

Deno.test("demo() balances over three servers, and over two without an error once one is stopped", async () => {
  await withDirectory(async (directory) => {
    const port = freePort();
    const env = { RUNTIME_DIRECTORY: directory };
    await using child = tandemCommand(["demo", "--port", String(port)], { env }).spawn();
    const complaints = new Response(child.stderr).text();
    const lines = linesOf(child.stdout);
    const [, control] = await lineWith(lines, /(http:\S+)\/b /);
    const summaries: Share[] = [];
    const until = async (wanted: (share: Share) => boolean) => {
      for (let next = await lines.next(); next.done !== true; next = await lines.next()) {
        const share = shareOf(next.value);
        if (share === null) continue;
        summaries.push(share);
        if (wanted(share)) return;
      }
      throw new Error(`Never so: ${JSON.stringify(summaries)}`);
    };
    await until(({ shares }) => ["a", "b", "c"].every((name) => shares[name]! > 20));
    assertStringIncludes(await (await fetch(`http://127.0.0.1:${port}/`)).text(), "hello from server");
    const said = await (await fetch(`${control}/b`, { method: "POST" })).text();
    assertStringIncludes(said, "server b is stopped");
    await until(({ requests, shares }) => requests > 0 && shares.b === 0 && shares.a! > 20 && shares.c! > 20);
    await (await fetch(`${control}/b`, { method: "POST" })).body?.cancel();
    await until(({ shares }) => shares.b! > 20);
    assertEquals(summaries.map(({ errors }) => errors), summaries.map(() => 0));
    child.kill("SIGINT");
    child.kill("SIGTERM");
    for await (const line of lines) assertEquals(shareOf(line)?.errors ?? 0, 0);
    assertEquals((await child.status).code, 0, await complaints);
    await complaints;
  });
});

Deno.test("demo() says which port is taken, and another to try", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  const { code, out, err } = await tandem(["demo", "--port", String(port)]);
  assertEquals([code, out], [1, ""]);
  assertMatch(
    err,
    new RegExp(`^Cannot start the demo as port ${port} is in use; try: tandem demo --port \\d+\n$`),
  );
});

Deno.test("status() shows a running node, and run answers on the configured socket", async () => {
  await withDirectory(async (cwd) => {
    const [port, admin] = [freePort(), freePort()];
    const url = `http://127.0.0.1:${admin}`;
    await Deno.writeTextFile(
      `${cwd}/tandem.yaml`,
      `listeners: [{ name: web, bind: "127.0.0.1:${port}", routes: [{ respond: { body: hi } }] }]
admin: { bind: "127.0.0.1:${admin}", socket: "${cwd}/own.sock" }
workers: 1`,
    );
    assertEquals((await tandem(["status", "--url", url])).code, 1);
    await using child = tandemCommand(["run", "--node", "n1"], { cwd }).spawn();
    const lines = linesOf(child.stderr);
    await lineWith(lines, /configuration in force/);
    const rest = (async () => {
      for await (const _ of lines);
    })();
    assertEquals(await (await fetch(`http://127.0.0.1:${port}/`)).text(), "hi");
    const table = await tandem(["status", "--url", url]);
    assertEquals([table.code, table.err], [0, ""]);
    assertMatch(table.out, /^n1: serving, generation \d+/);
    const json = await tandem(["status", "--url", url, "--json"]);
    assertEquals(JSON.parse(json.out).node, "n1");
    assert((await Deno.stat(`${cwd}/own.sock`)).isSocket);
    child.kill("SIGTERM");
    assertEquals((await child.status).code, 0);
    await rest;
    await child.stdout.cancel();
  });
});

Deno.test("run() refuses a bad file with one line a problem, and exits with 1", async () => {
  await withDirectory(async (cwd) => {
    await Deno.writeTextFile(`${cwd}/tandem.yaml`, "listeners: 5\nzzz: 1\n");
    const { code, err } = await tandem(["run", "--node", "n1"], { cwd });
    assertEquals(code, 1);
    const lines = err.trimEnd().split("\n").map((line) => JSON.parse(line));
    assertEquals(lines.map(({ level }) => level), ["error", "error"]);
    assertMatch(lines[0].message, /^tandem\.yaml:1:12: listeners: must be a list, not 5$/);
  });
});

Deno.test("run() says what a reload has changed", async () => {
  await withDirectory(async (cwd) => {
    const write = (text: string) => Deno.writeTextFile(`${cwd}/tandem.yaml`, text);
    const listener = (name: string, port: number, body: string) =>
      `  - { name: ${name}, bind: "127.0.0.1:${port}", routes: [{ respond: { body: ${body} } }] }\n`;
    const [one, two] = [freePort(), freePort()];
    await write(`workers: 1\nlisteners:\n${listener("web", one, "a")}`);
    await using child = tandemCommand(["run"], { cwd, env: { RUNTIME_DIRECTORY: cwd } }).spawn();
    const lines = linesOf(child.stderr);
    await lineWith(lines, /configuration in force/);
    await write(`workers: 1\nlisteners:\n${listener("web", one, "b")}${listener("more", two, "c")}`);
    child.kill("SIGHUP");
    const [line] = await lineWith(lines, /.*the configuration has changed.*/);
    const { listenersAdded, listenersChanged, poolsChanged } = JSON.parse(line);
    assertEquals([listenersAdded, listenersChanged, poolsChanged], [["more"], ["web(routes)"], undefined]);
    child.kill("SIGHUP");
    await lineWith(lines, /listeners and pools stay as they were/);
    child.kill("SIGTERM");
    await lineWith(lines, /drained/);
    for await (const _ of lines);
    assertEquals((await child.status).code, 0);
    await child.stdout.cancel();
  });
});

Deno.test("run() logs in the form that the file wants, from the first line on", async () => {
  await withDirectory(async (cwd) => {
    const listener = `{ name: web, bind: "127.0.0.1:${freePort()}", routes: [{ respond: { status: 200 } }] }`;
    await Deno.writeTextFile(
      `${cwd}/tandem.yaml`,
      `listeners: [${listener}]\nlog: { format: text }\nworkers: 1\n`,
    );
    const command = tandemCommand(["run", "--node", "lb1"], { cwd, env: { RUNTIME_DIRECTORY: cwd } });
    await using child = command.spawn();
    const seen: string[] = [];
    for await (const line of linesOf(child.stderr)) {
      seen.push(line);
      if (line.includes("configuration in force")) break;
    }
    child.kill("SIGTERM");
    assert(seen.length > 1);
    assertEquals(seen.filter((line) => line.startsWith("{")), []);
    await child.stdout.cancel();
  });
});
