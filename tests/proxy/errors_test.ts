/** Every code of the table is raised by something a peer does, with the answer that the table says. */
import { ERROR_CODES, type ErrorCode, ERRORS } from "../../mod/base/errors.ts";
import { LISTENER_COLUMN } from "../../mod/base/counters.ts";
import type { JwtSnapshot } from "../../mod/config/guard_snapshot.ts";
import type { RouteSnapshot } from "../../mod/config/snapshot.ts";
import { assertEquals } from "../assert.ts";
import { frame, PING, PREFACE, SETTINGS } from "../conformance/http2_client.ts";
import { concurrencyLimit, rateLimit } from "../guard/limits.ts";
import { filesRoute } from "../sim/files_route.ts";
import { reply } from "../sim/parties.ts";
import { speakHttp2 } from "../sim/http2_server.ts";
import { simulate, type World, type WorldOptions } from "../sim/world.ts";
import { CACHE } from "./cached_world.ts";

interface Scenario {
  readonly options?: WorldOptions;
  /** What the client sends. */
  readonly sends?: string;
  readonly servers?: (world: World) => void;
  /** What happens then; by default half a minute passes. */
  readonly then?: (world: World) => void;
  /** The client does not read. */
  readonly stops?: true;
}

const HEAD = "GET / HTTP/1.1\r\nHost: a.test\r\n";
const GET = `${HEAD}\r\n`;
const POST = "POST / HTTP/1.1\r\nHost: a.test\r\n";

const MAY_HAND_ON: RouteSnapshot = {
  match: { hosts: [], methods: [], headers: [], query: [] },
  action: { kind: "pool", pool: "app" },
  next: ["app"],
};
const BY_NAME: RouteSnapshot = {
  match: { hosts: [], methods: [], headers: [], query: [], tls: { sni: ["a.test"], alpn: [] } },
  action: { kind: "pool", pool: "app" },
};

const refusing = (world: World) => world.servers.forEach((server) => server.accepts = "refuses");
const silent = (world: World) => world.servers.forEach((server) => server.answer = () => {});
const answering = (text: string, end: boolean) => (world: World) => {
  for (const server of world.servers) {
    server.answer = (_, connection) => {
      connection.send(text);
      if (end) connection.peer.end();
    };
  }
};
const wait = (ms: number) => (world: World) => world.run(ms);

/** One request a minute. */
const ONCE: RouteSnapshot = {
  match: { hosts: [], methods: [], headers: [], query: [] },
  action: { kind: "pool", pool: "app" },
  guards: { rateLimits: [rateLimit({ stepMs: 60_000 })] },
};
const ONLY_STORED: WorldOptions = {
  routes: [{
    match: { hosts: [], methods: [], headers: [], query: [] },
    action: { kind: "pool", pool: "app" },
    cache: { ...CACHE, requestDirectives: true },
  }],
};
const NEEDS_ROLE: JwtSnapshot = {
  realm: "x",
  terms: { key: { kind: "secret", text: "s" }, algorithms: [], issuers: [], audiences: [], leewayMs: 0 },
  require: [["role", ["admin"]]],
  from: { kind: "header", name: "authorization" },
};
/** About tokens, to be called later. */
const answers: (() => void)[] = [];
const withPasswords = (check: () => boolean): WorldOptions => ({
  credentials: { passwords: { check } },
  routes: [{ ...ONCE, guards: { basicAuth: { realm: "x", users: [["a", "hash"]] } } }],
});
const BREAKER = {
  maxRequests: 0,
  failures: 0.5,
  minRequests: 1,
  windowMs: 10_000,
  openForMs: 60_000,
  trials: 1,
};
const NOBODY = { allow: [], deny: ["0.0.0.0/0"] };

/** Answers with the files of `/www`. */
const FILES: WorldOptions = { routes: [filesRoute()] };
/** TLS that waits for more of a ClientHello for ever. */
const TLS: WorldOptions = {
  listener: { tls: { certificates: [], minVersion: "1.2", alpn: [], strictSni: false, clientAuth: null } },
  makeTls: () => ({
    open: () => ({ receive() {}, write() {}, end() {}, drain: () => null, destroy() {} }),
  }),
};
const HELLO = "\x16\x03\x01";

/** Of no connection: its tests are with the relay's. */
type OfUdp = "tooManySessions";

const SCENARIOS: Record<Exclude<ErrorCode, OfUdp>, Scenario> = {
  badRequest: { sends: "GET / HTTP/1.1\r\nHost: a.test\r\nX : y\r\n\r\n" },
  ambiguousFraming: { sends: `${POST}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n` },
  badHost: { sends: "GET / HTTP/1.1\r\n\r\n" },
  badChunk: { sends: `${POST}Transfer-Encoding: chunked\r\n\r\nnonsense\r\n` },
  uriTooLong: { sends: `GET /${"x".repeat(20_000)}` },
  headTooLarge: { sends: `${HEAD}X: ${"x".repeat(20_000)}\r\n\r\n` },
  bodyTooLarge: {
    options: { listener: { limits: { body: 3 } } },
    sends: `${POST}Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n`,
  },
  versionUnsupported: { sends: "GET / HTTP/2.0\r\nHost: a.test\r\n\r\n" },
  methodUnsupported: { sends: "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test\r\n\r\n" },
  expectUnsupported: { sends: `${POST}Expect: something\r\n\r\n` },
  http2Error: { sends: `${PREFACE}${frame(SETTINGS, 0, 0)}${frame(PING, 0, 1)}` },
  http2Flood: { sends: `${PREFACE}${frame(SETTINGS, 0, 0).repeat(2000)}` },
  tlsFailed: { options: TLS },
  tlsTimeout: { options: TLS, sends: HELLO },
  headTimeout: { sends: "GET / HT" },
  bodyTimeout: { sends: `${POST}Content-Length: 9\r\n\r\nbo`, then: wait(31_000) },
  clientGone: { servers: silent, then: (world) => world.network.streams[0]!.peer.reset() },
  clientStalled: {
    servers: answering(reply(200, "x".repeat(300_000)), false),
    stops: true,
    then: wait(301_000),
  },
  badProxyHeader: { options: { listener: { proxyProtocol: { from: ["192.0.2.0/24"] } } } },
  proxyHeaderTimeout: {
    options: { listener: { proxyProtocol: { from: ["192.0.2.0/24"] } } },
    sends: "PROXY ",
  },
  notTls: { options: { protocol: "tcp", routes: [BY_NAME] } },
  badClientHello: { options: { protocol: "tcp", routes: [BY_NAME] }, sends: "\x16\x03\x01\x00\x01\x02" },
  accessDenied: { options: { listener: { guards: { access: [NOBODY] } }, routes: [] }, sends: GET },
  concurrencyLimited: {
    options: { routes: [{ ...ONCE, guards: { concurrencyLimits: [concurrencyLimit()] } }] },
    servers: (world) => {
      silent(world);
      world.connect().get("/");
      world.settle();
    },
  },
  connectionLimited: {
    options: { listener: { connectionLimit: concurrencyLimit({ kind: "connections" }) } },
    servers: (world) => void world.connect(),
  },
  unauthorized: { options: withPasswords(() => true) },
  forbidden: {
    options: {
      credentials: {
        tokens: {
          check: (_terms, _token, done) => void answers.push(() => done({ claims: {}, expiresAt: 0 })),
        },
      },
      routes: [{ ...ONCE, guards: { jwt: NEEDS_ROLE } }],
    },
    sends: `${HEAD}Authorization: Bearer x\r\n\r\n`,
    then: () => answers.pop()!(),
  },
  credentialsBusy: {
    options: withPasswords(() => false),
    sends: `${HEAD}Authorization: Basic YTpi\r\n\r\n`,
  },
  rateLimited: {
    options: { routes: [ONCE] },
    servers: (world) => {
      world.connect().get("/");
      world.settle();
    },
  },
  noRoute: { options: { routes: [] } },
  methodNotAllowed: { options: FILES, sends: `${POST}Content-Length: 0\r\n\r\n` },
  notStored: { options: ONLY_STORED, sends: `${HEAD}Cache-Control: only-if-cached\r\n\r\n` },
  fileNotFound: { options: FILES },
  fileForbidden: { options: FILES, servers: ({ disk }) => disk.directory("/www") },
  fileFailed: { options: FILES, servers: ({ disk }) => disk.failing = true },
  fileChanged: {
    options: FILES,
    servers: ({ disk }) => {
      disk.write("/www/index.html", "before");
      let date = 0;
      disk.onRead = () => disk.change("/www/index.html", "after!", ++date);
    },
  },
  noServer: { servers: ({ control }) => [0, 1].forEach((slot) => control.slots.setUp(slot, false)) },
  queueFull: { options: { servers: [{ maxConnections: 1 }], pool: { queue: { size: 0 } } }, servers: occupy },
  queueTimeout: { options: { servers: [{ maxConnections: 1 }] }, servers: occupy },
  draining: { servers: silent, then: ({ sessions }) => sessions.forEach((session) => session.close()) },
  connectFailed: { servers: refusing },
  connectTimeout: { servers: (world) => world.servers.forEach((server) => server.accepts = "silent") },
  serverCertificate: { servers: (world) => world.servers.forEach((server) => server.accepts = "untrusted") },
  emptyReply: { servers: answering("", true) },
  responseReset: { servers: answering("HTTP/1.1 200 O", true) },
  badResponse: { servers: answering("SSH-2.0-OpenSSH\r\n", false) },
  upgradeRefused: {
    options: { pool: { http2: true } },
    servers: (world) => world.servers.forEach((server) => speakHttp2(server, () => {})),
    sends: "GET / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  },
  badHandOn: {
    options: { routes: [MAY_HAND_ON] },
    servers: answering(reply(200, "", "tandem-next: other\r\n"), false),
  },
  overloaded: {
    options: { pool: { breaker: { ...BREAKER, maxRequests: 1 } } },
    servers: occupy,
  },
  breakerOpen: {
    options: { pool: { breaker: BREAKER } },
    servers: (world) => {
      world.servers.forEach((server) => server.accepts = "refuses");
      world.connect().get("/");
      world.settle();
    },
  },
  requestTimeout: {
    options: { listener: { timeouts: { requestMs: 5000 } } },
    servers: silent,
    then: wait(6000),
  },
  responseTimeout: { servers: silent, then: wait(61_000) },
  upstreamStalled: {
    servers: answering("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", false),
    then: wait(61_000),
  },
  tunnelIdle: {
    options: { protocol: "tcp" },
    servers: (world) => world.servers.forEach((server) => server.onBytes = () => true),
    then: wait(301_000),
  },
};

/** Another client takes the only place. */
function occupy(world: World): void {
  silent(world);
  world.connect().get("/first");
  world.settle();
}

for (const code of Object.keys(SCENARIOS) as (keyof typeof SCENARIOS)[]) {
  Deno.test(`ERRORS ${code} is raised, counted and answered as the table says`, () => {
    const { options = {}, sends = GET, servers, then = wait(15_000), stops } = SCENARIOS[code];
    simulate(options, (world) => {
      servers?.(world);
      const client = world.connect();
      client.send(sends, "GET");
      if (stops === true) client.peer.stop();
      world.settle();
      then(world);
      world.settle();
      const { status, termination, text } = ERRORS[code];
      const logged = world.log.filter(({ error }) => error === code);
      assertEquals(logged.length, 1, `logged: ${world.log.map(({ error }) => error)}`);
      assertEquals(world.memory.counters.listener(0, LISTENER_COLUMN[code]), 1);
      assertEquals(logged[0]!.termination, termination);
      if (status === 0) return assertEquals(client.answers.length, 0);
      assertEquals(client.statuses, [status]);
      assertEquals(client.answers[0]!.body.includes(text), true, "the answer says why");
    });
  });
}

Deno.test("docs/errors.md shows the table as it is", () => {
  const page = Deno.readTextFileSync(new URL("../../docs/errors.md", import.meta.url));
  const rows = page.split("\n").filter((line) => line.startsWith("| `")).map((line) =>
    line.split("|").slice(1, -1).map((cell) => cell.trim())
  );
  const table = ERROR_CODES.map((code) => {
    const { side, status, retry, termination, text } = ERRORS[code];
    const condition = retry === null ? "" : `\`${retry}\``;
    return [`\`${code}\``, side, status === 0 ? "—" : String(status), condition, termination, text];
  });
  assertEquals(rows, table);
});
