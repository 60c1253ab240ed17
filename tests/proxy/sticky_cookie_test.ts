/** Sessions by cookies: what clients and servers see of them, and where requests go. */
import { assertEquals } from "../assert.ts";
import { encodeDate } from "../../mod/proxy/sticky_dates.ts";
import { echo, reply } from "../sim/parties.ts";
import type { World } from "../sim/world.ts";
import { ask, cookie, serverOf, setCookie, withSessions } from "./sticky_world.ts";

/** What the server of the last request got as `Cookie`. */
function received(world: World, server: number): string | undefined {
  return world.servers[server]!.seen.at(-1)!.headers.get("cookie");
}

Deno.test("insert: the client gets the server's id once, and comes back by it", () => {
  withSessions(cookie(), (world) => {
    const client = world.connect();
    const first = ask(world, client);
    assertEquals([serverOf(first), setCookie(first)], ["a", "SRV=ia; Path=/"]);
    for (let n = 0; n < 4; n++) {
      const again = ask(world, world.connect(), "Cookie: SRV=ia\r\n");
      assertEquals([serverOf(again), setCookie(again)], ["a", ""]);
    }
    assertEquals(setCookie(ask(world, client, "Cookie: SRV=nobody\r\n")), "SRV=ib; Path=/");
  });
});

Deno.test("insert: answers that give out the cookie are private, and no others", () => {
  withSessions(cookie({ noCache: true }), (world) => {
    const client = world.connect();
    assertEquals(ask(world, client).headers.get("cache-control"), "private");
    assertEquals(ask(world, client, "Cookie: SRV=ib\r\n").headers.get("cache-control"), undefined);
  });
});

Deno.test("insert: the server does not see the cookie, and every other one as it was", () => {
  const cases: readonly [sent: string, got: string | undefined][] = [
    ["Cookie: SRV=ia\r\n", undefined],
    ["Cookie: x=1; SRV=ia\r\n", "x=1"],
    ["Cookie: SRV=ia; x=1\r\n", "x=1"],
    ["Cookie: x=1; SRV=ia; y=2\r\n", "x=1; y=2"],
    ["cookie:SRV=ia;x=1;SRV=ib ; y=2\r\n", "x=1;y=2"],
    ["Cookie: x=1\r\nCookie: SRV=ia\r\n", "x=1"],
    ["Cookie: xSRV=ia; SRVx=1; SRV\r\n", "xSRV=ia; SRVx=1; SRV"],
    ["Cookie: SRV=nobody; x=1\r\n", "x=1"],
    ["Cookie: SRV=ia;\r\n", undefined],
  ];
  withSessions(cookie(), (world) => {
    const client = world.connect();
    for (const [sent, got] of cases) {
      const before = "User-Agent: one\r\n", behind = "X-Last: two\r\nReferer: three\r\n";
      const answer = ask(world, client, before + sent + behind);
      const at = "abc".indexOf(serverOf(answer));
      assertEquals(received(world, at), got, sent);
      const { headers } = world.servers[at]!.seen.at(-1)!;
      assertEquals(["user-agent", "x-last", "referer"].map((name) => headers.get(name)), [
        "one",
        "two",
        "three",
      ]);
    }
  });
});

Deno.test("insert: the log has the request as it was, wherever the cookie stood in it", () => {
  withSessions(cookie(), (world) => {
    for (const head of ["Cookie: SRV=ia\r\nHost: a.test\r\n", "Host: a.test\r\nCookie: SRV=ia\r\n"]) {
      world.connect().send(`GET / HTTP/1.1\r\n${head}\r\n`, "GET");
      world.settle();
      assertEquals([world.log.at(-1)!.host, world.log.at(-1)!.server], ["a.test", "a"]);
    }
  });
});

Deno.test("insert: without indirect the server sees the cookie", () => {
  withSessions(cookie({ indirect: false }), (world) => {
    ask(world, world.connect(), "Cookie: SRV=ib\r\n");
    assertEquals(received(world, 1), "SRV=ib");
  });
});

Deno.test("insert: a cookie of the same name that the server sets gives way, unless it is preserved", () => {
  const more = "Set-Cookie: a=1\r\nset-cookie: SRV=mine; Path=/x\r\nSet-Cookie: SRVx=2\r\n";
  for (const preserve of [false, true]) {
    withSessions(cookie({ preserve }), (world) => {
      for (const server of world.servers) server.answer = (_, to) => to.send(reply(200, "hello", more));
      const kept = preserve ? "a=1, SRV=mine; Path=/x, SRVx=2" : "a=1, SRVx=2";
      assertEquals(setCookie(ask(world, world.connect(), "Cookie: SRV=ia\r\n")), kept);
      const fresh = ask(world, world.connect());
      assertEquals(setCookie(fresh), preserve ? kept : "a=1, SRVx=2, SRV=ia; Path=/");
      assertEquals(fresh.body, "hello");
    });
  }
});

Deno.test("prefix: the server's own cookie bears its id, and is given back to it without", () => {
  withSessions(cookie({ mode: "prefix", name: "SID" }), (world) => {
    for (const server of world.servers) {
      const more = "Set-Cookie: SID=abc; Path=/\r\nSet-Cookie: x=1\r\n";
      server.answer = (_, to) => to.send(reply(200, server.name, more));
    }
    assertEquals(setCookie(ask(world, world.connect())), "SID=ia~abc; Path=/, x=1");
    const again = ask(world, world.connect(), "Cookie: x=1; SID=ib~abc; y=2\r\n");
    assertEquals([again.body, received(world, 1)], ["b", "x=1; SID=abc; y=2"]);
    // An id of no server is no part of the value either; a value without one is left alone.
    assertEquals([ask(world, world.connect(), "Cookie: SID=old~abc\r\n").body, received(world, 1)], [
      "b",
      "SID=abc",
    ]);
    assertEquals([ask(world, world.connect(), "Cookie: SID=abc\r\n").body, received(world, 2)], [
      "c",
      "SID=abc",
    ]);
  });
});

Deno.test("prefix and rewrite: without a cookie of the server's there is none", () => {
  for (const mode of ["prefix", "rewrite"] as const) {
    withSessions(cookie({ mode }), (world) => assertEquals(setCookie(ask(world, world.connect())), ""));
  }
});

Deno.test("rewrite: the id stands in place of the value that the server gives", () => {
  withSessions(cookie({ mode: "rewrite" }), (world) => {
    for (const server of world.servers) {
      server.answer = (_, to) => to.send(reply(200, server.name, "Set-Cookie: SRV=; HttpOnly\r\n"));
    }
    assertEquals(setCookie(ask(world, world.connect())), "SRV=ia; HttpOnly");
    const again = ask(world, world.connect(), "Cookie: SRV=ic\r\n");
    assertEquals([again.body, received(world, 2)], ["c", "SRV=ic"]);
  });
});

Deno.test("a session whose server is down goes to another, and its cookie with it", () => {
  withSessions(cookie(), (world) => {
    world.control.slots.setUp(1, false);
    const moved = ask(world, world.connect(), "Cookie: SRV=ib\r\n");
    assertEquals([serverOf(moved), setCookie(moved)], ["a", "SRV=ia; Path=/"]);
    world.control.slots.setUp(1, true);
    assertEquals(serverOf(ask(world, world.connect(), "Cookie: SRV=ia\r\n")), "a");
    const { hits, misses, moved: moves } = sessions(world);
    assertEquals([hits, misses, moves], [1, 0, 1]);
  });
});

function sessions(world: World) {
  return world.tables.sticks.status(world.state.live.routes[0]!.pool!.snapshot, world.now).sessions!;
}

Deno.test("a session whose server cannot be connected to goes to another in the same request", () => {
  withSessions(cookie(), (world) => {
    world.servers[1]!.accepts = "refuses";
    const moved = ask(world, world.connect(), "Cookie: SRV=ib\r\n");
    assertEquals([serverOf(moved), setCookie(moved)], ["a", "SRV=ia; Path=/"]);
    assertEquals(world.log.at(-1)!.retries, 1);
  });
});

Deno.test("redispatch: false keeps a session on a server that cannot be connected to, and others not", () => {
  withSessions(cookie({ redispatch: false }), (world) => {
    world.servers[1]!.accepts = "refuses";
    const answer = ask(world, world.connect(), "Cookie: SRV=ib\r\n");
    assertEquals([answer.line, world.servers[1]!.dials], ["HTTP/1.1 503 Service Unavailable", 3]);
    const fresh = [1, 2, 3].map(() => serverOf(ask(world, world.connect())));
    assertEquals(fresh.includes("b"), false);
    // Known to be down, it keeps nobody.
    world.control.slots.setUp(1, false);
    assertEquals(ask(world, world.connect(), "Cookie: SRV=ib\r\n").line, "HTTP/1.1 200 OK");
  });
});

Deno.test("drain keeps sessions and gets no new ones, maint loses them", () => {
  withSessions(cookie(), (world) => {
    const { slots } = world.control;
    slots.setAdmin(0, "drain");
    assertEquals(serverOf(ask(world, world.connect(), "Cookie: SRV=ia\r\n")), "a");
    const fresh = [1, 2, 3, 4].map(() => serverOf(ask(world, world.connect())));
    assertEquals(fresh.includes("a"), false);
    slots.setAdmin(0, "maint");
    const lost = ask(world, world.connect(), "Cookie: SRV=ia\r\n");
    assertEquals([serverOf(lost) === "a", setCookie(lost) === ""], [false, false]);
  });
});

Deno.test("backup servers and those of weight 0 keep the sessions that they have", () => {
  const servers = [{ id: "ia" }, { id: "ib", backup: true }, { id: "ic", weight: 0 }];
  withSessions(cookie(), (world) => {
    assertEquals(serverOf(ask(world, world.connect(), "Cookie: SRV=ib\r\n")), "b");
    assertEquals(serverOf(ask(world, world.connect(), "Cookie: SRV=ic\r\n")), "c");
  }, { servers });
});

Deno.test("a session waits for its own server when that is full, although others are not", () => {
  const servers = [{ id: "ia", maxConnections: 1 }, { id: "ib", maxConnections: 1 }];
  withSessions(cookie(), (world) => {
    const waiting: (() => void)[] = [];
    world.servers[0]!.answer = (request, to) => void waiting.push(() => echo(request, to));
    const [first, second] = [world.connect(), world.connect()];
    for (const client of [first, second]) {
      client.get("/", "Cookie: SRV=ia\r\n");
      world.settle();
    }
    assertEquals([world.active, world.memory.queue.waiting(0)], [1, 1]);
    // Whoever is of no session passes by.
    assertEquals(serverOf(ask(world, world.connect())), "b");
    for (const answer of waiting) answer(), world.settle();
    assertEquals([first, second].map(({ answers }) => answers.map(serverOf)), [["a"], ["a"]]);
  }, { servers });
});

Deno.test("a session that waits for its server goes to another once that is down", () => {
  const servers = [{ id: "ia", maxConnections: 1 }, { id: "ib", maxConnections: 1 }];
  withSessions(cookie(), (world) => {
    world.servers[0]!.answer = () => {};
    world.connect().get("/", "Cookie: SRV=ia\r\n");
    world.settle();
    const client = world.connect().get("/", "Cookie: SRV=ia\r\n");
    world.settle();
    assertEquals(world.memory.queue.waiting(0), 1);
    world.control.slots.setUp(0, false);
    world.control.queue.wakeAll();
    world.run(300);
    assertEquals(client.answers.map((answer) => [serverOf(answer), setCookie(answer)]), [[
      "b",
      "SRV=ib; Path=/",
    ]]);
  }, { servers });
});

Deno.test("a session waits for a server in drain too, and nobody else is given its places", () => {
  const servers = [{ id: "ia", maxConnections: 1 }, { id: "ib", maxConnections: 1 }];
  withSessions(cookie(), (world) => {
    const waiting: (() => void)[] = [];
    for (const server of world.servers) {
      server.answer = (request, to) => void waiting.push(() => echo(request, to));
    }
    world.control.slots.setAdmin(0, "drain");
    const session = [1, 2].map(() => world.connect().get("/", "Cookie: SRV=ia\r\n"));
    world.settle();
    const others = [1, 2].map(() => world.connect().get("/"));
    world.settle();
    assertEquals(world.memory.queue.waiting(0), 2);
    while (waiting.length > 0) waiting.shift()!(), world.settle();
    assertEquals([...session, ...others].map(({ answers }) => answers.map(serverOf).join()), [
      "a",
      "a",
      "b",
      "b",
    ]);
  }, { servers });
});

Deno.test("maxIdle: the cookie says when it was last used, and is void after it", () => {
  withSessions(cookie({ maxIdleMs: 60_000 }), (world) => {
    const now = encodeDate(world.now);
    assertEquals(setCookie(ask(world, world.connect())), `SRV=ia|${now}; Path=/`);
    const again = (ageMs: number) =>
      setCookie(ask(world, world.connect(), `Cookie: SRV=ib|${encodeDate(world.now - ageMs)}\r\n`));
    assertEquals(again(0), "");
    assertEquals(again(4000), `SRV=ib|${now}; Path=/`);
    assertEquals([sessions(world).hits, sessions(world).misses], [2, 1]);
    assertEquals(again(70_000).endsWith(`|${now}; Path=/`), true);
    assertEquals(sessions(world).misses, 2);
    // One without a date, as of another configuration, gets one.
    const plain = setCookie(ask(world, world.connect(), "Cookie: SRV=ib\r\n"));
    assertEquals(plain, `SRV=ib|${now}; Path=/`);
  });
});

Deno.test("maxLife: the cookie keeps the date on which it was first given out, and is void after it", () => {
  withSessions(cookie({ maxLifeMs: 60_000 }), (world) => {
    const [now, then] = [encodeDate(world.now), encodeDate(world.now - 20_000)];
    assertEquals(setCookie(ask(world, world.connect())), `SRV=ia|${now}|${now}; Path=/`);
    const again = (value: string) => setCookie(ask(world, world.connect(), `Cookie: SRV=${value}\r\n`));
    assertEquals(again(`ib|${now}|${then}`), "");
    assertEquals(again(`ib|${then}|${then}`), `SRV=ib|${now}|${then}; Path=/`);
    const old = again(`ib|${now}|${encodeDate(world.now - 70_000)}`);
    assertEquals(old.endsWith(`|${now}|${now}; Path=/`), true, old);
    // A date in the far future was not given out here.
    const future = again(`ib|${now}|${encodeDate(world.now + 100_000_000)}`);
    assertEquals(future.endsWith(`|${now}|${now}; Path=/`), true, future);
  });
});

Deno.test("a cookie is given with interim answers unchanged, and with a switch of protocols", () => {
  withSessions(cookie(), (world) => {
    const switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n";
    for (const server of world.servers) {
      server.answer = (request, to) => {
        if (request.headers.has("upgrade")) return to.send(switching);
        to.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + reply(200, server.name));
      };
    }
    const hinted = ask(world, world.connect());
    assertEquals([hinted.interim, setCookie(hinted)], [[103], "SRV=ia; Path=/"]);
    const client = world.connect();
    client.get("/", "Connection: Upgrade\r\nUpgrade: x\r\n");
    world.settle();
    assertEquals(setCookie(client.answers[0]!), "SRV=ib; Path=/");
    client.peer.end();
    world.settle();
  });
});
