/** Files that a configuration names and that go bad on disk, at a whole node: what it has in force is as it was. */
import { assert, assertEquals } from "../assert.ts";
import { labTest } from "../lab/tools.ts";
import { Certificates } from "../net/openssl.ts";
import { eventually, freePort, Node } from "./node.ts";
import { get } from "./http_client.ts";

/** The fingerprint of what a port shows, by the name that is asked for. */
async function shown(node: Node, listener: string): Promise<string[]> {
  return (await node.listener(listener)).certificates.map(({ fingerprint }) => fingerprint);
}

labTest("run() a balancer that is killed comes back with what was in force", ["openssl"], async () => {
  await using made = await Certificates.make();
  await made.issue("authority");
  for (const name of ["shop", "api"]) await made.issue(name, { by: "authority" });
  await made.issue("client", { by: "authority", client: true });
  await Deno.writeTextFile(made.path("page.html"), "sorry\n");
  await Deno.writeTextFile(
    made.path("users"),
    "ann:$2y$05$JLgSLGZFbCLsCJLDQ2jKpuHZyECYCHtY8cFzSBSE1XQOwhrNjO.p6\n",
  );
  await Deno.writeTextFile(made.path("keys.pem"), await publicKey(made));
  await Deno.mkdir(made.path("logs"));
  const [plain, web] = [freePort(), freePort()];
  const at = (name: string) => JSON.stringify(made.path(name));
  await using node = await Node.start(`
listeners:
  - name: plain
    bind: "127.0.0.1:${plain}"
    errorPages: { "404": ${at("page.html")} }
    routes:
      - { match: { path: /users }, basicAuth: { file: ${at("users")} }, pool: app }
      - { match: { path: /tokens }, jwt: { keys: ${at("keys.pem")}, algorithms: [ES256] }, pool: app }
      - { match: { path: /good }, respond: { body: good } }
  - name: web
    bind: "127.0.0.1:${web}"
    tls:
      certificates: [{ cert: ${at("shop.pem")}, key: ${at("shop.key")} }, { cert: ${at("api.pem")}, key: ${
    at("api.key")
  } }]
      clientAuth: { mode: optional, ca: ${at("authority.pem")} }
    pool: app
pools:
  app:
    servers: ["127.0.0.1:9"]
    tls: { ca: ${at("authority.pem")}, clientCertificate: { cert: ${at("client.pem")}, key: ${
    at("client.key")
  } } }
log: { access: json, accessTo: ${at("logs/access.log")} }
workers: 1
`);
  const before = await shown(node, "web");
  const bad = [
    "shop.pem",
    "shop.key",
    "api.key",
    "authority.pem",
    "client.pem",
    "client.key",
    "page.html",
    "users",
  ];
  for (const name of [...bad, "keys.pem"]) await Deno.writeTextFile(made.path(name), "nothing of \xff use");
  await Deno.remove(made.path("logs"), { recursive: true });
  const pid = await node.balancerPid();
  Deno.kill(pid, "SIGKILL");
  await eventually(async () => await node.balancerPid() !== pid, () => node.program.text);
  await eventually(async () => (await get(plain, "/good")).body === "good", () => node.program.text);
  assertEquals(await shown(node, "web"), before);
  assertEquals((await get(plain, "/none")).body, "sorry\n");
  const { balancer } = await node.program.status();
  assertEquals([balancer.restarts, balancer.lastDeath], [1, "killed by SIGKILL"]);
  for (const word of ["drain", "ready"]) {
    const { code, said } = await node.command(word, "app/127.0.0.1:9");
    assertEquals(code, 0, said);
  }
  await node.program.line("the access log cannot be written");
  await Deno.mkdir(made.path("logs"));
  await eventually(async () => {
    await get(plain, "/good");
    return Deno.statSync(made.path("logs/access.log")).size > 0;
  });
  await node.program.line("a certificate stays as it was, as its new file is not good");

  // Each for itself: one is renewed while others are bad.
  const renewed = await Certificates.make();
  await using _ = renewed;
  await renewed.issue("api");
  await Deno.copyFile(renewed.path("api.pem"), made.path("api.pem"));
  await Deno.copyFile(renewed.path("api.key"), made.path("api.key"));
  await eventually(async () => (await shown(node, "web"))[1] !== before[1], () => node.program.text);
  assertEquals((await shown(node, "web"))[0], before[0]);
  assert(!node.program.text.includes("use"), "what is in a file is never shown");
});

async function publicKey(made: Certificates): Promise<string> {
  const args = ["pkey", "-in", made.path("shop.key"), "-pubout"];
  const { stdout } = await new Deno.Command("openssl", { args }).output();
  return new TextDecoder().decode(stdout);
}
