/** The probes against real servers on loopback: Deno's own HTTP and TLS servers, and bare sockets. */
import type { AddressInfo } from "node:net";
import { createServer } from "node:tls";
import { assert, assertEquals, assertMatch } from "../assert.ts";
import type { CheckSnapshot, ServerTlsSnapshot } from "../../mod/config/snapshot.ts";
import { fromLatin1 } from "../../mod/http/grammar.ts";
import { type ProxyRead, readProxyHeader } from "../../mod/net/proxy_protocol.ts";
import type { ProbeTarget } from "../../mod/health/probe_io.ts";
import { probeTable } from "../../mod/health/probes_io.ts";
import type { ProbeResult } from "../../mod/health/rise_fall.ts";
import { CERTIFICATE, KEY } from "./certificate.ts";
import { checkOf } from "./check_of.ts";

const probes = probeTable(() => Promise.resolve({ ok: true, reason: "exit 0", latencyMs: 1 }));
const never = new AbortController().signal;

/** `given` as in a configuration; `some`: what a pool would add. */
function target(
  port: number,
  given: Readonly<Record<string, unknown>> = {},
  some: Partial<CheckSnapshot> = {},
): ProbeTarget {
  const check = checkOf({ path: "/healthz", timeout: "5s", ...given }, some);
  return { pool: "app", server: "s1", host: "127.0.0.1", port, check };
}

function probe(
  port: number,
  given: Readonly<Record<string, unknown>> = {},
  some: Partial<CheckSnapshot> = {},
  signal = never,
): Promise<ProbeResult> {
  const aim = target(port, given, some);
  return probes[aim.check.type](aim, signal);
}

/** A server that hands every connection to `serve` while `body` runs. */
async function withServer(
  serve: (conn: Deno.TcpConn) => Promise<void>,
  body: (port: number) => Promise<void>,
): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const conns: Promise<void>[] = [];
  const accepting = (async () => {
    for await (const conn of listener) conns.push(serve(conn).catch(() => {}).finally(() => closed(conn)));
  })();
  try {
    await body(listener.addr.port);
  } finally {
    listener.close();
    await accepting;
    await Promise.all(conns);
  }
}

function closed(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // Closed by the test's server already.
  }
}

/** Answers with fixed bytes once something was asked, then waits for the other side to close. */
function answering(answer: string): (conn: Deno.TcpConn) => Promise<void> {
  return async (conn) => {
    const buffer = new Uint8Array(4096);
    await conn.read(buffer);
    await conn.write(Uint8Array.from(answer, (char) => char.charCodeAt(0)));
    while (await conn.read(buffer) !== null);
  };
}

/** Says nothing until the other side closes. */
async function silent(conn: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(4096);
  while (await conn.read(buffer) !== null);
}

/** A port that nobody listens on. */
function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  return listener.addr.port;
}

for (const type of ["http", "tcp", "tls"] as const) {
  Deno.test(`${type} probe() a port that nobody listens on is refused`, async () => {
    const result = await probe(freePort(), { type });
    assertEquals([result.ok, result.reason], [false, "connection refused"]);
  });

  Deno.test(`${type} probe() cancelled before it starts opens nothing`, async () => {
    let accepted = 0;
    const serve = () => Promise.resolve(void accepted++);
    await withServer(serve, async (port) => {
      const result = await probe(port, { type }, {}, AbortSignal.abort());
      assertEquals([result.ok, result.reason], [false, "the probe was cancelled"]);
    });
    assertEquals(accepted, 0);
  });
}

for (const type of ["http", "tls"] as const) {
  Deno.test(`${type} probe() a server that says nothing fails after the time limit, and is let go`, async () => {
    await withServer(silent, async (port) => {
      const result = await probe(port, { type, timeout: "50ms" });
      assertEquals([result.ok, result.reason], [false, "no answer within 50 ms"]);
      assert(result.latencyMs >= 45);
    });
  });

  Deno.test(`${type} probe() cancelled under way ends and closes its connection`, async () => {
    const abort = new AbortController();
    const connected = Promise.withResolvers<void>();
    const serve = (conn: Deno.TcpConn) => {
      connected.resolve();
      return silent(conn);
    };
    await withServer(serve, async (port) => {
      const result = probe(port, { type }, {}, abort.signal);
      await connected.promise;
      abort.abort();
      assertEquals((await result).reason, "the probe was cancelled");
    });
  });
}

Deno.test("tcp probe() a server that accepts is healthy, and sees the connection closed", async () => {
  await withServer(silent, async (port) => {
    const result = await probe(port, { type: "tcp" });
    assertEquals([result.ok, result.reason], [true, "connected"]);
    assert(result.latencyMs >= 0);
  });
});

Deno.test("http probe() an expected status is healthy, another is not, and the reason says which", async () => {
  const serve = answering("HTTP/1.1 204 No Content\r\n\r\n");
  await withServer(serve, async (port) => {
    const good = await probe(port);
    assertEquals([good.ok, good.reason], [true, "status 204"]);
    const bad = await probe(port, { expect: { status: [200, "301-399"] } });
    assertEquals([bad.ok, bad.reason], [false, "status 204 is not expected"]);
  });
});

Deno.test("http probe() skips interim answers", async () => {
  const serve = answering("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\n\r\n");
  await withServer(serve, async (port) => assertEquals((await probe(port)).reason, "status 200"));
});

Deno.test("http probe() what is no HTTP, empty or broken off is told apart", async () => {
  const reasons = async (answer: string): Promise<string> => {
    let reason = "";
    const serve = async (conn: Deno.TcpConn) => {
      await conn.read(new Uint8Array(4096));
      await conn.write(new TextEncoder().encode(answer));
    };
    await withServer(serve, async (port) => void (reason = (await probe(port)).reason));
    return reason;
  };
  assertEquals(await reasons("SSH-2.0-x\r\n"), "the answer does not start with an HTTP/1 status line");
  assertEquals(await reasons(""), "the server closed the connection without an answer");
  assertEquals(await reasons("HTTP/1.1 20"), "the server broke off its answer");
});

Deno.test("http probe() stops reading an endless answer", async () => {
  const serve = async (conn: Deno.TcpConn) => {
    await conn.read(new Uint8Array(4096));
    const filler = new Uint8Array(65536).fill(0x61);
    while (true) await conn.write(filler);
  };
  await withServer(serve, async (port) => {
    assertEquals(
      (await probe(port)).reason,
      "the server said more than 16384 bytes, and nothing that decides",
    );
  });
});

Deno.test("http probe() sends method, path and Host to a real server", async () => {
  const seen: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    seen.push(`${request.method} ${new URL(request.url).pathname} ${request.headers.get("host")}`);
    return new Response(null, { status: 200 });
  });
  const { port } = server.addr;
  assertEquals((await probe(port, { method: "HEAD", host: "app.internal" })).ok, true);
  assertEquals((await probe(port)).ok, true);
  await server.shutdown();
  assertEquals(seen, ["HEAD /healthz app.internal", `GET /healthz 127.0.0.1:${port}`]);
});

Deno.test("http probe() works over IPv6", async () => {
  const server = Deno.serve({ hostname: "::1", port: 0, onListen() {} }, () => new Response("ok"));
  const aim = { ...target(server.addr.port, {}), host: "::1" };
  assertEquals((await probes.http(aim, never)).reason, "status 200");
  await server.shutdown();
});

/** A TLS server that reads until the other side closes, while `body` runs. */
async function withTlsServer(body: (port: number) => Promise<void>): Promise<void> {
  const listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert: CERTIFICATE, key: KEY });
  const accepting = (async () => {
    for await (const conn of listener) {
      const buffer = new Uint8Array(1024);
      try {
        while (await conn.read(buffer) !== null);
      } catch {
        // A client that leaves early is its own affair.
      }
      closed(conn);
    }
  })();
  try {
    await body(listener.addr.port);
  } finally {
    listener.close();
    await accepting;
  }
}

Deno.test("tls probe() a handshake is enough, whoever signed the certificate", async () => {
  await withTlsServer(async (port) => {
    for (const host of ["", "app.internal", "127.0.0.1", "fd00::1", "[fd00::1]"]) {
      const result = await probe(port, { type: "tls", ...(host === "" ? {} : { host }) });
      assertEquals(result.ok, true, result.reason);
      assertMatch(result.reason, /^handshake completed, TLSv1\.[23]$/);
    }
  });
});

Deno.test("probe() says first whose connection it is, where the check wants that", async () => {
  for (const version of ["v1", "v2"] as const) {
    for (const type of ["http", "tcp", "tls", "redis"] as const) {
      const told = Promise.withResolvers<[ProxyRead, next: number | undefined]>();
      const serve = async (conn: Deno.TcpConn) => {
        const bytes = new Uint8Array(4096);
        let size = 0;
        let read: ProxyRead = { kind: "more" };
        while (
          read.kind === "more" || type !== "tcp" && read.kind === "header" && size === read.header.size
        ) {
          size += await conn.read(bytes.subarray(size)) ?? 4096;
          read = readProxyHeader(bytes, 0, size);
        }
        told.resolve([read, read.kind === "header" ? bytes[read.header.size] : undefined]);
        await conn.write(fromLatin1("HTTP/1.1 200 OK\r\n\r\n"));
      };
      await withServer(serve, async (port) => {
        await probe(port, { type }, { proxyProtocol: version });
        const [read, next] = await told.promise;
        assert(read.kind === "header", `${version} ${type}: ${JSON.stringify(read)}`);
        const { addresses } = read.header;
        if (version === "v2") assertEquals(addresses, null);
        else {assertEquals([addresses?.source.host, addresses?.destination], ["127.0.0.1", {
            host: "127.0.0.1",
            port,
          }]);}
        // "GET", nothing, a TLS record of a handshake, or an array of RESP.
        assertEquals(next, { http: 0x47, tcp: 0, tls: 22, redis: 0x2a }[type]);
      });
    }
  }
});

Deno.test("tls probe() with a header: the time limit and a server that is not there", async () => {
  assertEquals(
    (await probe(freePort(), { type: "tls" }, { proxyProtocol: "v2" })).reason,
    "connection refused",
  );
  await withServer(silent, async (port) => {
    const result = await probe(port, { type: "tls", timeout: "50ms" }, { proxyProtocol: "v1" });
    assertEquals([result.ok, result.reason], [false, "no answer within 50 ms"]);
  });
});

Deno.test("tls probe() a server that speaks plain HTTP is not healthy", async () => {
  await withServer(answering("HTTP/1.1 400 Bad Request\r\n\r\n"), async (port) => {
    assertEquals((await probe(port, { type: "tls" })).ok, false);
  });
});

Deno.test("tls probe() a server that closes at once is not healthy", async () => {
  await withServer(() => Promise.resolve(), async (port) => {
    assertEquals((await probe(port, { type: "tls" })).ok, false);
  });
});

const TRUSTING: ServerTlsSnapshot = {
  verify: true,
  ca: CERTIFICATE,
  clientCertificate: null,
  alpn: [],
  minVersion: "1.2",
};

/** A server that speaks HTTP over TLS, and answers every request alike. */
async function withHttpsServer(answer: string, body: (port: number) => Promise<void>): Promise<void> {
  const server = createServer({ cert: CERTIFICATE, key: KEY }, (socket) => {
    socket.once("data", () => socket.end(answer));
    socket.on("error", () => {});
  });
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await body((server.address() as AddressInfo).port);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

Deno.test("http probe() over TLS asks whom it trusts, and says why it does not trust others", async () => {
  await withHttpsServer("HTTP/1.1 204 No Content\r\n\r\n", async (port) => {
    const ask = async (tls: Partial<ServerTlsSnapshot>, tlsName: string) => {
      const { ok, reason } = await probe(port, {}, {
        tls: { ...TRUSTING, ...tls },
        tlsName,
      });
      return [ok, reason];
    };
    assertEquals(await ask({}, "app.internal"), [true, "status 204"]);
    assertEquals(await ask({ verify: false, ca: null }, "other.internal"), [true, "status 204"]);
    assertEquals(await ask({}, "other.internal"), [
      false,
      "the server's certificate is not for other.internal but for app.internal",
    ]);
    assertEquals((await ask({ ca: null }, "app.internal"))[0], false);
    assertEquals((await probe(port)).ok, false, "plainly");
  });
});

Deno.test("http probe() over TLS judges the status, and what breaks off", async () => {
  await withHttpsServer("HTTP/1.1 503 No\r\n\r\n", async (port) => {
    const { reason } = await probe(port, {}, { tls: TRUSTING, tlsName: "app.internal" });
    assertEquals(reason, "status 503 is not expected");
  });
  await withHttpsServer("HTTP/1.1 2", async (port) => {
    const { reason } = await probe(port, {}, { tls: TRUSTING, tlsName: "app.internal" });
    assertEquals(reason, "the server broke off its answer");
  });
});

Deno.test("tls probe() of a pool with TLS verifies", async () => {
  await withTlsServer(async (port) => {
    const good = await probe(port, { type: "tls" }, { tls: TRUSTING, tlsName: "app.internal" });
    assertMatch(good.reason, /^handshake completed/);
    const bad = await probe(port, { type: "tls" }, { tls: TRUSTING, tlsName: "other.internal" });
    assertMatch(bad.reason, /is not for other\.internal/);
  });
});

Deno.test("probe() every talk goes over TLS, where the check wants that", async () => {
  await withHttpsServer("+PONG\r\n", async (port) => {
    const { ok, reason } = await probe(port, { type: "redis" }, { tls: TRUSTING, tlsName: "app.internal" });
    assertEquals([ok, reason], [true, "Redis answered +PONG"]);
    assertEquals((await probe(port, { type: "redis", timeout: "200ms" })).ok, false, "plainly");
  });
});

Deno.test("http probe() speaks HTTP/2 to a real server, where the pool does", async () => {
  const seen: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { method, url, headers } = request;
    seen.push([method, new URL(url).pathname, headers.get("x-key"), await request.text()].join(" "));
    return new Response("x".repeat(9000) + "pong", { headers: { "x-state": "up" } });
  });
  const given = {
    method: "POST",
    headers: { "X-Key": "k" },
    body: "ping",
    expect: { body: "pong", headers: { "x-state": "up" } },
  };
  const { ok, reason } = await probe(server.addr.port, given, { http2: true });
  await server.shutdown();
  assertEquals([ok, reason], [true, "status 200, and what is expected"]);
  assertEquals(seen, ["POST /healthz k ping"]);
});
