/** Dials servers over TLS, with both implementations; openssl makes the certificates, `node:tls` serves them. */
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer, type TlsOptions, type TLSSocket } from "node:tls";
import type { ServerTlsSnapshot } from "../../mod/config/snapshot.ts";
import { BufferPool } from "../../mod/net/buffers.ts";
import { DenoDialer, type StreamWorld } from "../../mod/net/deno_io.ts";
import { type Stream, TlsFailure } from "../../mod/net/stream.ts";
import { TlsDialer } from "../../mod/net/tls_dialer.ts";
import { makeTlsEngine, newTicketKeys } from "../../mod/net/tls_engine_io.ts";
import { assert, assertEquals, assertMatch } from "../assert.ts";
import { Certificates, type Pair } from "../lab/certificates.ts";
import { labTest } from "../lab/tools.ts";

const PLAIN: ServerTlsSnapshot = {
  verify: true,
  ca: null,
  clientCertificate: null,
  alpn: [],
  minVersion: "1.2",
};

function world(): StreamWorld & { bugs: unknown[] } {
  const bugs: unknown[] = [];
  return { buffers: new BufferPool(), tick() {}, onBug: (error) => bugs.push(error), bugs };
}

const text = (path: string) => readFileSync(path, "utf8");
const files = ({ cert, key }: Pair) => ({ cert: text(cert), key: text(key) });

function dialer(shared: StreamWorld, prefer: string, tls: ServerTlsSnapshot): TlsDialer {
  const engine = makeTlsEngine({ buffers: shared.buffers, ticketKeys: newTicketKeys(), prefer });
  return new TlsDialer(new DenoDialer(shared), engine.connector(tls), shared.onBug);
}

type Dialling = (port: number, tls: Partial<ServerTlsSnapshot>, name?: string) => Promise<Stream | Error>;

/** What became of a dial: the protocol agreed on is not told, so it is what the server saw. */
function dialling(prefer: string): Dialling {
  return async (port, tls, name = "") => {
    const shared = world();
    const result = await new Promise<Stream | Error>((resolve) =>
      dialer(shared, prefer, { ...PLAIN, ...tls }).dial("127.0.0.1", port, {
        onOpen: resolve,
        onFailed: resolve,
      }, { name })
    );
    assertEquals(shared.bugs, []);
    return result;
  };
}

/** What a server's socket has, beyond what the types know. */
type Served = TLSSocket & { readonly servername?: string | false };

/** A server, and the handshakes that it finished. */
async function withServer(
  options: TlsOptions,
  body: (port: number, seen: Served[]) => Promise<void>,
): Promise<void> {
  const seen: Served[] = [];
  const server = createServer(options, (socket) => {
    seen.push(socket as Served);
    socket.on("error", () => {});
  });
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await body((server.address() as AddressInfo).port, seen);
  } finally {
    for (const socket of seen) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

async function closed(stream: Stream | Error): Promise<void> {
  if (stream instanceof Error) throw stream;
  await new Promise<void>((resolve) => {
    stream.handler = { onData() {}, onEnd() {}, onDrain() {}, onClosed: () => resolve() };
    stream.close();
  });
}

/** Closes the stream once the server too has finished its `count`th handshake. */
async function met(stream: Stream | Error, seen: readonly Served[], count: number): Promise<void> {
  if (stream instanceof Error) throw stream;
  while (seen.length < count) await new Promise((resolve) => setTimeout(resolve, 1));
  await closed(stream);
}

function reasonOf(result: Stream | Error, untrusted: boolean): string {
  assert(result instanceof TlsFailure, `not a failure of TLS: ${result}`);
  assertEquals(result.untrusted, untrusted, result.message);
  return result.message;
}

for (const prefer of ["openssl", "rustls"]) {
  const dial = dialling(prefer);

  labTest(
    `${prefer} TlsDialer verifies the authority, the name and the dates, and says what is wrong`,
    ["openssl"],
    async () => {
      using made = new Certificates();
      const authority = made.authority("ours");
      const ca = text(authority.cert);
      const stranger = text(made.authority("stranger").cert);
      const good = files(made.sign("good", authority, { names: "DNS:app.internal,IP:127.0.0.1" }));
      const old = files(made.sign("old", authority, { names: "DNS:app.internal", days: -1 }));
      await withServer(good, async (port, seen) => {
        await met(await dial(port, { ca }, "app.internal"), seen, 1);
        await met(await dial(port, { ca }), seen, 2);
        assertEquals(seen.map(({ servername }) => servername || ""), ["app.internal", ""]);
        assertMatch(
          reasonOf(await dial(port, { ca }, "other.internal"), true),
          /^the server's certificate is not for other\.internal but for app\.internal, 127\.0\.0\.1$/,
        );
        assertMatch(
          reasonOf(await dial(port, { ca: stranger }, "app.internal"), true),
          /issuer that is unknown/,
        );
        assertMatch(reasonOf(await dial(port, {}, "app.internal"), true), /issuer that is unknown/);
        await met(await dial(port, { verify: false }, "other.internal"), seen, 3);
        assertEquals(seen.at(-1)!.servername, "other.internal");
      });
      await withServer(old, async (port) => {
        assertMatch(reasonOf(await dial(port, { ca }, "app.internal"), true), /certificate has expired$/);
      });
    },
  );

  labTest(
    `${prefer} TlsDialer trusts only the authorities given, not those of the runtime too`,
    ["openssl"],
    async () => {
      using made = new Certificates();
      const [ours, others] = [made.authority("ours"), made.authority("others")];
      const both = text(ours.cert) + text(others.cert);
      const pair = files(made.sign("app", others, { names: "DNS:app.internal" }));
      await withServer(pair, async (port) => {
        await closed(await dial(port, { ca: both }, "app.internal"));
        reasonOf(await dial(port, { ca: text(ours.cert) }, "app.internal"), true);
      });
    },
  );

  labTest(
    `${prefer} TlsDialer shows its certificate, offers protocols and keeps to a version`,
    ["openssl"],
    async () => {
      using made = new Certificates();
      const authority = made.authority("ours");
      const ca = text(authority.cert);
      const server = files(made.sign("app", authority, { names: "DNS:app.internal" }));
      const clientCertificate = files(made.sign("us", authority, { names: "DNS:us.internal" }));
      const mutual = {
        ...server,
        ca,
        requestCert: true,
        rejectUnauthorized: true,
        maxVersion: "TLSv1.2",
      } as const;
      await withServer({ ...mutual, ALPNProtocols: ["http/1.1"] }, async (port, seen) => {
        await met(await dial(port, { ca, clientCertificate, alpn: ["http/1.1"] }, "app.internal"), seen, 1);
        assertEquals(seen[0]!.alpnProtocol, "http/1.1");
        assertEquals(seen[0]!.getPeerCertificate().subject.CN, "us");
        assert(await dial(port, { ca }, "app.internal") instanceof Error, "without a certificate");
        const version = reasonOf(
          await dial(port, { ca, clientCertificate, minVersion: "1.3" }, "app.internal"),
          false,
        );
        assertEquals(version, "the server refused the TLS handshake: protocol version");
        const protocol = reasonOf(
          await dial(port, { ca, clientCertificate, alpn: ["nothing"] }, "app.internal"),
          false,
        );
        assertEquals(protocol, "the server refused the TLS handshake: no application protocol");
      });
    },
  );

  Deno.test(`${prefer} TlsDialer says so when a server does not speak TLS, hangs up or is not there`, async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    const answering = dial(port, {});
    const plain = await listener.accept();
    await plain.read(new Uint8Array(4096));
    await plain.write(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n"));
    assertEquals(reasonOf(await answering, false), "the server does not speak TLS on this port");
    plain.close();
    const leaving = dial(port, {});
    const short = await listener.accept();
    await short.read(new Uint8Array(4096));
    short.close();
    assert(await leaving instanceof Error);
    listener.close();
    const nobody = await dial(port, {});
    assert(nobody instanceof Error && !(nobody instanceof TlsFailure), String(nobody));
  });

  Deno.test(`${prefer} TlsDialer lets go of a handshake that is cancelled while the server is silent`, async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const shared = world();
    const called: string[] = [];
    const dials = Array.from(
      { length: 3 },
      () =>
        dialer(shared, prefer, PLAIN).dial("127.0.0.1", listener.addr.port, {
          onOpen: () => called.push("open"),
          onFailed: () => called.push("failed"),
        }),
    );
    const buffer = new Uint8Array(4096);
    const conns: Deno.TcpConn[] = [];
    while (conns.length < dials.length) conns.push(await listener.accept());
    for (const conn of conns) await conn.read(buffer);
    for (const each of dials) each.cancel();
    for (const conn of conns) {
      assertEquals(await conn.read(buffer).catch(() => null), null, "the connection is gone");
      conn.close();
    }
    assertEquals([called, shared.bugs], [[], []]);
  });
}
