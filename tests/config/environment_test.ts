import { assertEquals } from "../assert.ts";
import { errors, good, SMALLEST } from "./reading.ts";

const admin = (bind: string) => `${SMALLEST}\nadmin: { bind: "${bind}" }`;

Deno.test("expandEnvironment() reads variables, defaults and what is escaped", async () => {
  const port = async (text: string, env = {}) =>
    (await good(admin(`127.0.0.1:${text}`), { env })).admin?.bind.port;
  assertEquals(await port("${PORT}", { PORT: "1234" }), 1234);
  assertEquals(await port("${PORT:-82}"), 82);
  assertEquals(await port("${PORT:-82}", { PORT: "" }), 82);
  assertEquals(await port("${PORT:-80}", { PORT: "81" }), 81);
  assertEquals(await port("${A}${B}", { A: "1", B: "2" }), 12);
  const type = async (text: string, env = {}) => {
    const config = await good(
      `listeners: [{ name: web, bind: ":80", routes: [{ respond: { contentType: '${text}' } }] }]`,
      { env },
    );
    const action = config.listeners[0]?.routes[0]?.action;
    return action?.kind === "respond" ? action.contentType : null;
  };
  assertEquals(await type("$${A} $A $ ${A:-} ${A:-x:-y}"), "${A} $A $  x:-y");
});

Deno.test("expandEnvironment() numbers and yes or no may come from variables", async () => {
  const config = await good(
    'listeners: [{ name: web, bind: ":80", pool: app, limits: { headers: "${N}", head: "${SIZE}" } }]\n' +
      'pools: { app: { servers: [{ address: "10.0.0.1:80", weight: "${N}", backup: "${YES}" }] } }',
    { env: { N: "7", SIZE: "4096", YES: "true" } },
  );
  assertEquals([config.listeners[0]?.limits.headers, config.listeners[0]?.limits.head], [7, 4096]);
  assertEquals([config.pools.app?.servers[0]?.weight, config.pools.app?.servers[0]?.backup], [7, true]);
});

Deno.test("expandEnvironment() what a variable holds is text and never structure, nor expanded again", async () => {
  const env = { X: '", token: "0123456789abcdef', Y: "${Z}", Z: "80" };
  assertEquals(await errors(admin("${X}"), { env }), [
    '3:16 «"${X}"» admin.bind: must be ip:port, [v6]:port or :port, such as 0.0.0.0:8080, not "\\", token: \\"0123456789abcdef"',
  ]);
  assertEquals(await errors(admin("127.0.0.1:${Y}"), { env }), [
    '3:16 «"127.0.0.1:${Y}"» admin.bind: must be ip:port, [v6]:port or :port, such as 0.0.0.0:8080, not "127.0.0.1:${Z}"',
  ]);
  assertEquals(await errors(`${SMALLEST}\nadmin: { bind: "127.0.0.1:1", "\${Z}": 1 }`, { env }), [
    '3:31 «"${Z}"» admin["${Z}"]: is not a known key (known: bind, socket, token, tls, liveChanges)',
  ]);
});

Deno.test("expandEnvironment() points at every reference that cannot be read", async () => {
  assertEquals(await errors(admin("127.0.0.1:${PORT}")), [
    "3:27 «${PORT}» admin.bind: needs the environment variable PORT, which is not set",
  ]);
  assertEquals(await errors(admin("${HOST}:${a b}${X")), [
    "3:17 «${HOST}» admin.bind: needs the environment variable HOST, which is not set",
    '3:25 «${a b}» admin.bind: has a malformed variable name "a b" (write $${ for a plain ${)',
    "3:31 «${X» admin.bind: has ${ without its } (write $${ for a plain ${)",
  ]);
  assertEquals(await errors(admin("127.0.0.1:${PORT}"), { env: { PORT: "x" } }), [
    '3:16 «"127.0.0.1:${PORT}"» admin.bind: must be ip:port, [v6]:port or :port, such as 0.0.0.0:8080, not "127.0.0.1:x"',
  ]);
});

Deno.test("expandEnvironment() reads only the overlays of this node", async () => {
  const text = `${SMALLEST}\nnodes:\n  a: { admin: { bind: "\${A}" } }\n  b: { admin: { bind: "\${B}" } }`;
  assertEquals(await errors(text, { node: "a", env: { A: "127.0.0.1:1" } }), []);
  assertEquals(await errors(text, { node: "b", env: { A: "127.0.0.1:1" } }), [
    "5:24 «${B}» nodes.b.admin.bind: needs the environment variable B, which is not set",
  ]);
});
