/** Checks of protocols against the servers that speak them: Redis, PostgreSQL, MariaDB, dnsmasq, SMTP and gRPC. */
// @ts-types="./smtp_server.d.ts"
import { SMTPServer } from "smtp-server";
import type { CheckSnapshot, ServerTlsSnapshot } from "../../mod/config/snapshot.ts";
import { probeTable } from "../../mod/health/probes_io.ts";
import { assertEquals, assertMatch } from "../assert.ts";
import { Dnsmasq } from "../discovery/dnsmasq.ts";
import { CERTIFICATE, KEY } from "../health/certificate.ts";
import { checkOf } from "../health/check_of.ts";
import { labTest } from "../lab/tools.ts";
import { startMariadb, startPostgres, startRedis } from "./databases.ts";
import { freePort } from "./node.ts";

const probes = probeTable(() => Promise.reject(new Error("no program is run here")));

/** Of who answers for `app.internal`. */
const VERIFIED: ServerTlsSnapshot = {
  ...{ verify: true, ca: CERTIFICATE, clientCertificate: null, alpn: [], minVersion: "1.2" },
};

/** The verdict of one probe as a text: `good: reason` or `bad: reason`. */
async function ask(
  port: number,
  given: Readonly<Record<string, unknown>>,
  some: Partial<CheckSnapshot> = {},
  host = "127.0.0.1",
): Promise<string> {
  const check = checkOf({ timeout: "10s", ...given }, some);
  const target = { pool: "app", server: "s1", host, port, check };
  const { ok, reason } = await probes[check.type](target, new AbortController().signal);
  return `${ok ? "good" : "bad"}: ${reason}`;
}

labTest("probe() a real Redis", ["redis-server"], async () => {
  await using open = await startRedis();
  assertEquals(await ask(open.port, { type: "redis" }), "good: Redis answered +PONG");
  assertMatch(await ask(open.port, { type: "redis", password: "x" }), /^bad: Redis answered -ERR AUTH/);
  await using locked = await startRedis("geheim");
  assertEquals(
    await ask(locked.port, { type: "redis" }),
    "bad: Redis answered -NOAUTH Authentication required.",
  );
  assertEquals(await ask(locked.port, { type: "redis", password: "geheim" }), "good: Redis answered +PONG");
  const account = { type: "redis", user: "default", password: "wrong" };
  assertMatch(await ask(locked.port, account), /^bad: Redis answered -WRONGPASS/);
  const steps = [{ send: "AUTH geheim\r\n" }, { expect: "+OK" }, { send: "ROLE\r\n" }, {
    expect: "~\r\nmaster\r\n",
  }];
  assertEquals(await ask(locked.port, { type: "tcp", steps }), "good: said what is expected");
  const notMaster = [...steps.slice(0, 3), { expect: "\r\n:", not: "master" }];
  assertEquals(
    await ask(locked.port, { type: "tcp", steps: notMaster }),
    'bad: "master" is not expected in step 4',
  );
  const leaving = [{ send: "PING\r\nQUIT\r\n" }, { not: "PONG" }];
  assertEquals(
    await ask(open.port, { type: "tcp", steps: leaving }),
    'bad: "PONG" is not expected in step 2',
  );
  assertEquals(
    await ask(locked.port, { type: "tcp", steps: leaving }),
    "good: said what is expected",
  );
});

labTest("probe() a real PostgreSQL, which logs nothing of it", ["postgres"], async () => {
  await using server = await startPostgres();
  const before = server.log();
  assertEquals(await ask(server.port, { type: "postgres" }), "good: PostgreSQL asked for a password");
  const postgres = { type: "postgres", user: "postgres" };
  assertEquals(await ask(server.port, postgres), "good: PostgreSQL is ready for queries");
  assertEquals(server.log(), before);
  assertEquals(
    await ask(server.port, { ...postgres, database: "nope" }),
    'bad: PostgreSQL answered 3D000: database "nope" does not exist',
  );
});

labTest("probe() a real PostgreSQL over TLS, which it is asked for", ["postgres"], async () => {
  await using plain = await startPostgres();
  const given = { type: "postgres", user: "postgres", startTls: true };
  const startsTls = { startsTls: true };
  assertEquals(await ask(plain.port, given, startsTls), "bad: PostgreSQL speaks no TLS here");
  await using server = await startPostgres({ tls: true });
  const before = server.log();
  const ready = "good: PostgreSQL is ready for queries";
  assertEquals(await ask(server.port, given, startsTls), ready);
  const verified = { ...startsTls, tls: VERIFIED, tlsName: "app.internal" };
  assertEquals(await ask(server.port, given, verified), ready);
  assertEquals(
    await ask(server.port, { type: "postgres", startTls: true }, verified),
    "good: PostgreSQL asked for a password",
  );
  assertEquals(server.log(), before);
  assertMatch(
    await ask(server.port, given, { ...verified, tlsName: "other.internal" }),
    /^bad: .*certificate/,
  );
});

labTest("probe() a real MariaDB, which never blocks us for it", ["mariadbd"], async () => {
  await using server = await startMariadb();
  // Loopback is never blocked: an address of this machine's own, where it has one, shows that others are not either.
  const own = Deno.networkInterfaces().find(({ family, address }) =>
    family === "IPv4" && !address.startsWith("127.")
  );
  for (const host of ["127.0.0.1", ...(own === undefined ? [] : [own.address])]) {
    for (let times = 0; times < 10; times++) {
      assertMatch(
        await ask(server.port, { type: "mysql" }, {}, host),
        /^good: MySQL answered 1045: Access denied/,
      );
    }
    const check = { type: "mysql", user: "check" };
    assertMatch(await ask(server.port, check, {}, host), /^good: MySQL let it in, version 1\d\./);
  }
  assertMatch(await ask(server.port, { type: "mysql", user: "nobody" }), /^bad: MySQL answered 1045/);
});

labTest("probe() a real nameserver, over UDP and TCP", ["dnsmasq"], async () => {
  const directory = await Deno.makeTempDir();
  const port = freePort();
  const server = new Dnsmasq(directory, { port, ttlS: 5 }, "10.1.2.3 app.test\n10.1.2.4 app.test\n");
  assertEquals(await server.start(), true);
  try {
    for (const datagrams of [true, false]) {
      const dns = (more: Record<string, unknown>) => ask(port, { type: "dns", ...more }, { datagrams });
      assertEquals(await dns({ name: "app.test" }), "good: 2 records");
      assertEquals(await dns({ name: "APP.test.", expect: { answer: "10.1.2.4" } }), "good: 2 records");
      assertMatch(await dns({ name: "app.test", expect: { answer: "10.9.9.9" } }), /, without 10\.9\.9\.9$/);
      assertEquals(await dns({ name: "nope.test" }), 'bad: the answer is "no such name"');
      const nx = { name: "nope.test", expect: { rcode: "nxDomain" } };
      assertEquals(await dns(nx), 'good: the answer is "no such name"');
      assertEquals(await dns({ name: "example.org" }), 'bad: the answer is "refused"');
    }
    const query = "123401000001000000000000" + "036170700474657374" + "0000010001";
    const steps = [{ sendHex: query }, { expectHex: "0a010203" }];
    assertEquals(await ask(port, { type: "udp", steps }, { datagrams: true }), "good: said what is expected");
  } finally {
    await server.stop();
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("probe() a real SMTP server, which takes it for a client that left politely", async () => {
  const ended: string[] = [];
  const server = new SMTPServer({
    ...{ authOptional: true, disabledCommands: ["STARTTLS"], logger: false },
    onConnect: (_, done) => done(),
    onClose: ({ clientHostname, hostNameAppearsAs }) =>
      ended.push(`${hostNameAppearsAs} ${clientHostname !== ""}`),
  });
  server.on("error", (error) => ended.push(String(error)));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.server.address();
  assertEquals(await ask(port, { type: "smtp", hello: "lb1.test" }), "good: SMTP greeted and took leave");
  await new Promise<void>((resolve) => server.close(resolve));
  assertEquals(ended, ["lb1.test true"]);
});

Deno.test("probe() a real SMTP server that it asks for TLS", async () => {
  const ended: string[] = [];
  const server = new SMTPServer({
    ...{ authOptional: true, disabledCommands: [], logger: false, cert: CERTIFICATE, key: KEY },
    onConnect: (_, done) => done(),
    onClose: ({ hostNameAppearsAs, secure }) => ended.push(`${hostNameAppearsAs} ${secure}`),
  });
  server.on("error", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.server.address();
  const given = { type: "smtp", hello: "lb1.test", startTls: true };
  const good = "good: SMTP greeted and took leave, over TLS";
  assertEquals(await ask(port, given, { startsTls: true }), good);
  const verified = { startsTls: true, tls: VERIFIED, tlsName: "app.internal" };
  assertEquals(await ask(port, given, verified), good);
  assertMatch(await ask(port, given, { ...verified, tlsName: "other.internal" }), /^bad: .*certificate/);
  await new Promise<void>((resolve) => server.close(resolve));
  assertEquals(ended.slice(0, 2), ["lb1.test true", "lb1.test true"]);
});

Deno.test("probe() a real gRPC server with grpc.health.v1", async () => {
  const program = new URL("grpc_health_program.ts", import.meta.url);
  const config = new URL("../../deno.json", import.meta.url);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "--allow-all", "--config", config.pathname, program.pathname],
    ...{ stdin: "null", stdout: "piped", stderr: "inherit" },
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  try {
    const [port = 0, secure = 0] = (await reader.read()).value!.split(" ").map(Number);
    const grpc = (service: string) => ask(port, { type: "grpc", service }, { http2: true });
    const overTls = { http2: true, tls: { ...VERIFIED, alpn: ["h2"] }, tlsName: "app.internal" };
    assertEquals(await ask(secure, { type: "grpc", service: "shop.Cart" }, overTls), "good: SERVING");
    assertMatch(await ask(secure, { type: "grpc" }, { http2: true }), /^bad: /, "not plainly");
    assertEquals(await grpc(""), "good: SERVING");
    assertEquals(await grpc("shop.Cart"), "good: SERVING");
    assertEquals(await grpc("shop.Till"), "bad: the service is NOT_SERVING");
    assertEquals(await grpc("shop.Nope"), 'bad: the server knows no service "shop.Nope"');
    assertMatch(await ask(port, { type: "http" }, { http2: true }), /: status \d+/);
    assertMatch(await ask(port, { type: "http" }), /^bad: /, "HTTP/1.1 is not what it speaks");
  } finally {
    child.kill("SIGKILL");
    await child.status;
    await reader.cancel();
  }
});
