/** Requests that wait for a word on their credentials: what becomes of them, and what servers are told. */
import { assertEquals } from "../assert.ts";
import type { BasicAuthSnapshot, JwtSnapshot } from "../../mod/config/guard_snapshot.ts";
import type { RouteSnapshot } from "../../mod/config/snapshot.ts";
import type { Passwords, TokenResult, Tokens } from "../../mod/guard/identity.ts";
import { everyWay, simulate, type WorldOptions } from "../sim/world.ts";

const ANY = { hosts: [], methods: [], headers: [], query: [] };
const BASIC: BasicAuthSnapshot = { realm: "x", users: [["alice", "hash of secret"]] };
const JWT: JwtSnapshot = {
  realm: "x",
  terms: { key: { kind: "secret", text: "s" }, algorithms: [], issuers: [], audiences: [], leewayMs: 0 },
  require: [],
  from: { kind: "header", name: "authorization" },
};
const route = (more: Partial<RouteSnapshot>): readonly RouteSnapshot[] => [{
  match: ANY,
  action: { kind: "pool", pool: "app" },
  ...more,
}];
const basic = (name: string, password: string) => `Authorization: Basic ${btoa(`${name}:${password}`)}\r\n`;

/** Answers when it is told to. */
class SlowPasswords implements Passwords {
  readonly asked: string[] = [];
  readonly #waiting: (() => void)[] = [];
  full = false;
  check(hash: string, password: string, done: (good: boolean | null) => void): boolean {
    if (this.full) return false;
    this.asked.push(password);
    this.#waiting.push(() => done(password === "broken" ? null : hash === `hash of ${password}`));
    return true;
  }
  answer(): void {
    for (const one of this.#waiting.splice(0)) one();
  }
}

function world(passwords: SlowPasswords, more: WorldOptions = {}): WorldOptions {
  return { ...more, credentials: { passwords }, routes: route({ guards: { basicAuth: BASIC } }) };
}

Deno.test("basicAuth: 401 without a name and with a wrong password, 200 with a good one, which is remembered", () => {
  const passwords = new SlowPasswords();
  simulate(world(passwords), (world) => {
    const client = world.connect().get("/");
    world.settle();
    assertEquals(client.answers[0]!.headers.get("www-authenticate"), 'Basic realm="x", charset="UTF-8"');
    for (
      const [name, password] of [["alice", "wrong"], ["bob", "secret"], ["alice", "broken"], [
        "alice",
        "secret",
      ]]
    ) {
      client.get("/", basic(name!, password!));
      world.settle();
      passwords.answer();
      world.settle();
    }
    client.get("/", basic("alice", "secret"));
    world.settle();
    assertEquals(client.statuses, [401, 401, 401, 503, 200, 200]);
    assertEquals(passwords.asked.length, 4);
    client.get("/", "Authorization: Basic nonsense!\r\n");
    passwords.full = true;
    client.get("/", basic("alice", "other"));
    world.settle();
    assertEquals([client.statuses.slice(-2), client.ended], [[401, 503], false]);
  });
});

Deno.test("basicAuth: requests that wait are answered in order, bodies and all, however bytes arrive", () => {
  everyWay((way) => {
    const passwords = new SlowPasswords();
    simulate(world(passwords, way), (world) => {
      const client = world.connect();
      client.request("POST", "/1", `${basic("alice", "secret")}Content-Length: 4\r\n`, "body");
      client.request("POST", "/2", `${basic("alice", "wrong")}Content-Length: 4\r\n`, "body");
      client.request(
        "POST",
        "/3",
        `${basic("alice", "secret")}Transfer-Encoding: chunked\r\n`,
        "3\r\nabc\r\n0\r\n\r\n",
      );
      for (let n = 0; n < 4; n++) {
        world.settle();
        passwords.answer();
      }
      world.settle();
      assertEquals(client.statuses, [200, 401, 200]);
      assertEquals(world.servers.flatMap(({ seen }) => seen).map(({ body }) => body), ["body", "abc"]);
    });
  }, 5);
});

Deno.test("basicAuth: an answer that comes too late is for nobody", () => {
  const passwords = new SlowPasswords();
  simulate(world(passwords), (world) => {
    const gone = world.connect().get("/gone", basic("alice", "secret"));
    const late = world.connect().get("/late", basic("alice", "secret"));
    world.settle();
    gone.peer.reset();
    world.run(31_000);
    passwords.answer();
    world.settle();
    assertEquals([late.statuses, world.servers.flatMap(({ seen }) => seen).length], [[503], 0]);
    assertEquals(world.log.map(({ error, target }) => `${error} ${target}`), [
      "clientGone /gone",
      "credentialsBusy /late",
    ]);
  });
});

Deno.test("jwt: claims become headers that nobody else can set, and a token is remembered until it expires", () => {
  const results: TokenResult[] = [];
  const waiting: (() => void)[] = [];
  let asked = 0;
  const tokens: Tokens = {
    check(_terms, _token, done) {
      asked++;
      waiting.push(() => done(results.shift()!));
    },
  };
  const claims = {
    remove: [],
    replace: [],
    set: [["X-User", "$claim(sub)"], ["X-Role", "$claim(role)"]],
    add: [],
  } as const;
  const guards = { jwt: { ...JWT, require: [["role", ["admin"]]] as const } };
  simulate({ credentials: { tokens }, routes: route({ guards, claims }) }, (world) => {
    const client = world.connect();
    const ask = (token: string, result?: TokenResult) => {
      if (result !== undefined) results.push(result);
      client.get(
        "/",
        `${token === "" ? "" : `Authorization: Bearer ${token}\r\n`}X-User: root\r\nx-role: root\r\n`,
      );
      world.settle();
      for (const one of waiting.splice(0)) one();
      world.settle();
      return client.statuses.at(-1);
    };
    assertEquals(ask(""), 401);
    assertEquals(ask("bad", { problem: "no" }), 401);
    assertEquals(
      client.answers.at(-1)!.headers.get("www-authenticate"),
      'Bearer realm="x", error="invalid_token"',
    );
    assertEquals(ask("user", { claims: { sub: "u", role: "user" }, expiresAt: Infinity }), 403);
    const good = {
      claims: { sub: "m\u00e4x\r\n", role: ["editor", "admin"] },
      expiresAt: world.now + 10_000,
    };
    assertEquals([ask("good", good), ask("good"), asked], [200, 200, 3]);
    const { headers } = world.servers.flatMap(({ seen }) => seen)[0]!;
    assertEquals([headers.get("x-user"), headers.get("x-role")], ["m?x??", '["editor","admin"]']);
    world.run(10_000);
    assertEquals([ask("good", { problem: "expired" }), asked], [401, 4]);
  });
});
