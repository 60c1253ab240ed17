/** Where the access log goes, by a real node: standard output, a file with rotation, a real rsyslogd. */
import { assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { labTest, requireTool } from "../lab/tools.ts";
import { eventually, freePort, Node } from "./node.ts";

const config = (port: number, log: string) => `
listeners:
  - { name: web, bind: "127.0.0.1:${port}", routes: [{ respond: { status: 200, body: hi } }] }
log: { format: json, access: haproxy, ${log} }
`;

async function ask(port: number, path: string): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`);
  assertEquals(await answer.text(), "hi");
}

async function read(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch {
    return "";
  }
}

Deno.test("run() the access log goes to standard output, and goes on there over an upgrade", async () => {
  const port = freePort();
  await using node = await Node.start(config(port, "accessTo: stdout"), {
    through: (directory) => ["sh", "-c", `exec "$@" >${directory}/out`, "sh"],
  });
  const out = `${node.directory}/out`;
  await ask(port, "/before");
  await eventually(async () => (await read(out)).includes("GET /before"), () => "nothing on stdout");
  const { code, said } = await node.command("upgrade");
  assertEquals(code, 0, said);
  await ask(port, "/after");
  await eventually(async () => (await read(out)).includes("GET /after"), () => "nothing on stdout");
  for (const line of (await read(out)).trimEnd().split("\n")) assertMatch(line, /^127\.0\.0\.1:\d+ \[/);
});

Deno.test("run() the access log goes to a file, which a reload can change, refuse and leave", async () => {
  const port = freePort();
  await using node = await Node.start(config(port, "accessTo: stderr"));
  const file = `${node.directory}/logs/access.log`;
  const toFile = config(port, `accessTo: "${file}", rotate: { size: 64k, keep: 2 }`);
  node.write(toFile);
  const { code, said } = await node.command("reload");
  assertEquals(code, 1);
  assertStringIncludes(said, `Cannot write the access log to ${file}: no such file or directory`);
  await Deno.mkdir(`${node.directory}/logs`);
  node.write(toFile);
  assertEquals((await node.command("reload")).code, 0);
  await ask(port, "/in-file");
  await eventually(async () => (await read(file)).includes("GET /in-file"), () => "nothing in the file");
  for (let sent = 0; sent < 60; sent++) await ask(port, `/${"x".repeat(2000)}`);
  await eventually(
    async () => (await read(`${file}.1`)).includes("GET /in-file"),
    () => "it was not renamed",
  );
  await node.reload(config(port, "accessTo: stderr"));
  await ask(port, "/back");
  await node.program.line("GET /back");
});

labTest(
  "run() the access log goes to a syslog daemon, by UDP, TCP and its socket",
  ["rsyslogd"],
  async () => {
    const found = requireTool("rsyslogd");
    if ("skip" in found) throw new Error(found.skip);
    const directory = await Deno.makeTempDir({ prefix: "tandem-syslog-" });
    const [port, udp, tcp] = [freePort(), freePort(), freePort()];
    await Deno.writeTextFile(
      `${directory}/conf`,
      `
global(workDirectory="${directory}")
module(load="imudp") input(type="imudp" address="127.0.0.1" port="${udp}")
module(load="imtcp") input(type="imtcp" address="127.0.0.1" port="${tcp}")
module(load="imuxsock" SysSock.Use="off") input(type="imuxsock" Socket="${directory}/log")
template(name="t" type="string" string="%syslogfacility-text%.%syslogseverity-text% %programname% %msgid%|%msg%\\n")
action(type="omfile" file="${directory}/out" template="t")
`,
    );
    const args = ["-n", "-f", `${directory}/conf`, "-i", `${directory}/pid`];
    const daemon = new Deno.Command(found.path, { args, stdout: "null", stderr: "null" }).spawn();
    try {
      await eventually(async () => (await read(`${directory}/pid`)) !== "", () => "rsyslogd does not start");
      const targets = [`udp://127.0.0.1:${udp}`, `tcp://127.0.0.1:${tcp}`, `unix:${directory}/log`];
      await using node = await Node.start(config(port, "accessTo: stderr"));
      for (const [index, target] of targets.entries()) {
        await node.reload(config(port, `accessTo: "${target}", facility: local3`));
        const line = () =>
          read(`${directory}/out`).then((text) =>
            text.split("\n").find((line) => line.includes(`GET /by-${index} `))
          );
        // The daemon may not listen yet: what is lost before is lost.
        await eventually(async () => {
          await ask(port, `/by-${index}`);
          return await line() !== undefined;
        }, () => `nothing came by ${target}`);
        const expected = index === 2 ? "local3.info tandem -| " : "local3.info tandem access|";
        assertStringIncludes((await line())!, expected + "127.0.0.1:");
      }
    } finally {
      daemon.kill("SIGKILL");
      await daemon.status;
      await Deno.remove(directory, { recursive: true });
    }
  },
);
