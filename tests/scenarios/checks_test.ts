/** Every kind of check takes a server out and back in, as its peer and its traffic see it. */
import { assertEquals, assertMatch } from "../assert.ts";
import { CERTIFICATE, KEY } from "../health/certificate.ts";
import { Buffered } from "./buffered.ts";
import { get } from "./http_client.ts";
import { Load } from "./load.ts";
import { freePort, Node, serverOf } from "./node.ts";
import { RawServer } from "./raw_server.ts";

/** Something a check asks for, and whether it is well. */
interface Patient {
  readonly check: string;
  /** What the reason says when it is not. */
  readonly reason: RegExp;
  heal(): void | Promise<void>;
  harm(): void | Promise<void>;
}

/** A listener that is there or not. */
function listening(type: "tcp" | "tls", reason: RegExp): Patient & Disposable {
  const port = freePort();
  let listener: Deno.Listener | null = null;
  let accepting: Promise<void> = Promise.resolve();
  async function accept(from: Deno.Listener): Promise<void> {
    try {
      for await (const conn of from) {
        await (conn as Deno.TlsConn).handshake?.().catch(() => {});
        conn.close();
      }
    } catch {
      // Closed.
    }
  }
  const close = () => {
    listener?.close();
    listener = null;
  };
  return {
    check: `type: ${type}, port: ${port}`,
    reason,
    heal() {
      const at = { hostname: "127.0.0.1", port };
      listener = type === "tls" ? Deno.listenTls({ ...at, cert: CERTIFICATE, key: KEY }) : Deno.listen(at);
      accepting = accept(listener);
    },
    async harm() {
      close();
      await accepting;
    },
    [Symbol.dispose]: close,
  };
}

Deno.test("run() http, tcp, tls and exec checks take a server out and back in", async (t) => {
  let status = 200;
  await using server = new RawServer(async (conn) => {
    const input = new Buffered(conn);
    while (true) {
      const healthz = (await input.through("\r\n\r\n")).startsWith("GET /healthz ");
      if (healthz) await RawServer.send(conn, `HTTP/1.1 ${status} x\r\nContent-Length: 0\r\n\r\n`);
      else await RawServer.answer(conn, "good");
    }
  });
  const flag = await Deno.makeTempFile();
  using tcp = listening("tcp", /refused/i);
  using tls = listening("tls", /refused/i);
  const patients: Record<string, Patient> = {
    http: {
      check: "type: http, path: /healthz",
      reason: /500/,
      heal: () => void (status = 200),
      harm: () => void (status = 500),
    },
    tcp,
    tls,
    exec: {
      check: `type: exec, command: [/usr/bin/test, -s, "${flag}"]`,
      reason: /exit.*1/i,
      heal: () => Deno.writeTextFile(flag, "well"),
      harm: () => Deno.writeTextFile(flag, ""),
    },
  };
  const kinds = Object.entries(patients);
  for (const [, patient] of kinds) await patient.heal();
  const port = freePort();
  const address = `address: "127.0.0.1:${server.port}"`;
  await using node = await Node.start(`
listeners:
  - name: web
    bind: "127.0.0.1:${port}"
    routes: [${kinds.map(([kind]) => `{ match: { path: /${kind} }, pool: ${kind} }`)}]
pools:
${
    kinds.map(([kind, { check }]) =>
      `  ${kind}: { servers: [{ name: ${kind}, ${address} }], check: { ${check}, interval: 50ms, rise: 2, fall: 2 } }`
    ).join("\n")
  }
`);
  for (const [kind, patient] of kinds) {
    await t.step(kind, async () => {
      await node.until((status) => serverOf(status, kind).state === "up");
      assertEquals((await get(port, `/${kind}`)).status, 200);
      await patient.harm();
      const { reason } = serverOf(
        await node.until((status) => serverOf(status, kind).state === "down"),
        kind,
      );
      assertMatch(reason, patient.reason);
      assertEquals((await get(port, `/${kind}`)).status, 503);
      // Only this one is out.
      for (const [other] of kinds) {
        if (other !== kind) assertEquals((await get(port, `/${other}`)).status, 200, other);
      }
      await patient.heal();
      await node.until((status) => serverOf(status, kind).state === "up");
      assertEquals((await get(port, `/${kind}`)).status, 200);
    });
  }
  for (const [, patient] of kinds) await patient.harm();
  await Deno.remove(flag);
});

Deno.test("run() a server without a check is ejected for its errors and empty replies, and comes back", async () => {
  let mood: "good" | "500" | "empty" = "good";
  const asked = { a: 0, b: 0 };
  const serve = (name: "a" | "b") => async (conn: Deno.TcpConn) => {
    const input = new Buffered(conn);
    while (true) {
      await input.through("\r\n\r\n");
      asked[name]++;
      if (name === "b" || mood === "good") await RawServer.answer(conn, "good");
      else if (mood === "empty") return;
      else await RawServer.send(conn, "HTTP/1.1 500 x\r\nContent-Length: 0\r\n\r\n");
    }
  };
  await using a = new RawServer(serve("a"));
  await using b = new RawServer(serve("b"));
  const port = freePort();
  await using node = await Node.start(`
listeners: [{ name: web, bind: "127.0.0.1:${port}", pool: app }]
pools:
  app:
    servers: [{ name: a, address: "127.0.0.1:${a.port}" }, { name: b, address: "127.0.0.1:${b.port}" }]
    passive: { failures: 3, serverErrors: 50%, minRequests: 10, window: 1s, ejectFor: 500ms }
`);
  await using load = new Load({ port, clients: 4 });
  for (const bad of ["500", "empty"] as const) {
    await node.until((status) => serverOf(status, "a").state === "unchecked");
    mood = bad;
    const ejected = serverOf(await node.until((status) => serverOf(status, "a").state === "ejected"), "a");
    assertMatch(ejected.reason, bad === "500" ? /5xx/ : /without an answer|empty|in a row/);
    mood = "good";
    await node.until((status) => serverOf(status, "a").state === "unchecked");
    const before = asked.a;
    await load.more(200);
    assertEquals(asked.a > before, true, "it comes back to its share");
  }
  await load.stop();
  // The 500s were passed on, the empty replies were not: these requests went to the other server.
  assertEquals(load.failures.filter((failure) => !failure.startsWith("/: 500 ")), []);
});
