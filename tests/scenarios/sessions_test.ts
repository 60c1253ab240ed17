/** Sessions with real clients and servers: what HAProxy does with the same cookies, and curl's own jar. */
import type { PoolStatus } from "../../mod/observe/status.ts";
import { assert, assertEquals } from "../assert.ts";
import { labTest } from "../lab/tools.ts";
import { freePort, freePorts, Node } from "./node.ts";
import { curl, Peers } from "./peers.ts";

const NAMES = ["a", "b", "c"] as const;

/** Servers that say their name and the cookies they got, and set cookies of their own on some paths. */
async function startServers(peers: Peers): Promise<number[]> {
  const ports = freePorts(NAMES.length);
  const blocks = NAMES.map((name, at) =>
    `server { listen 127.0.0.1:${ports[at]};
       location / { return 200 "${name} [$http_cookie]"; }
       location /own { add_header Set-Cookie "SRV=mine; Path=/x"; add_header Set-Cookie other=1; return 200 "${name} [$http_cookie]"; }
       location /login { add_header Set-Cookie "SID=${name}-$request_id; Path=/"; return 200 "${name} [$http_cookie]"; } }`
  );
  await peers.nginx(ports[0]!, blocks.join("\n"));
  return ports;
}

/** What a client sees: the body, and what the answer sets, without what is only spelt in another way. */
async function seen(port: number, path: string, ...cookies: string[]): Promise<string> {
  const text = await curl(
    "-i",
    ...cookies.flatMap((one) => ["-H", `Cookie: ${one}`]),
    `http://127.0.0.1:${port}${path}`,
  );
  const [head = "", body = ""] = text.split("\r\n\r\n");
  const lines = head.split("\r\n").filter((line) => /^(set-cookie|cache-control):/i.test(line));
  return [body, ...lines].join(" | ").toLowerCase().replace(/-[0-9a-f]{32}/g, "-ID");
}

/** How each kind of cookie is written for HAProxy and for Tandem. */
const KINDS = {
  insert: ["cookie SRV insert indirect nocache", "cookie: SRV, httpOnly: false"],
  attributes: [
    "cookie SRV insert indirect secure httponly domain .example.com attr SameSite=Lax",
    "cookie: SRV, noCache: false, secure: true, domain: .example.com, sameSite: lax",
  ],
  direct: ["cookie SRV insert", "cookie: SRV, indirect: false, noCache: false, httpOnly: false"],
  preserve: [
    "cookie SRV insert indirect preserve",
    "cookie: SRV, preserve: true, noCache: false, httpOnly: false",
  ],
  prefix: ["cookie SID prefix", "cookie: SID, mode: prefix"],
  rewrite: ["cookie SRV rewrite", "cookie: SRV, mode: rewrite"],
} as const;
type Kind = keyof typeof KINDS;
const REQUESTS: Readonly<Record<Kind, readonly (readonly [path: string, ...cookies: string[]])[]>> = {
  insert: [
    ["/", "SRV=s2"],
    ["/", "x=1; SRV=s3; y=2"],
    ["/", "SRV=s2; x=1; SRV=s3"],
    ["/", "x=1", "SRV=s2"],
    ["/own", "SRV=s3"],
    ["/", "SRV=s2;x=1"],
  ],
  attributes: [["/own", "SRV=s3"]],
  direct: [["/", "x=1; SRV=s2"], ["/own", "SRV=s2"]],
  preserve: [["/own", "SRV=s2"], ["/own"], ["/", "SRV=s2"]],
  prefix: [
    ["/", "SID=s2~abc"],
    ["/", "x=1; SID=s3~a~b; y=2"],
    ["/login", "SID=s2~abc"],
    ["/own", "SID=s2~abc"],
  ],
  rewrite: [["/own", "SRV=s2"], ["/", "x=1; SRV=s3"]],
};

labTest(
  "run() does with the cookies of sessions what HAProxy does",
  ["curl", "haproxy", "nginx"],
  async (t) => {
    await using peers = await Peers.make();
    const servers = await startServers(peers);
    const kinds = Object.keys(KINDS) as Kind[];
    const ports = freePorts(2 * kinds.length + 2);
    const [theirs, ours] = [ports.splice(0, kinds.length), ports.splice(0, kinds.length)];
    const [theirDates, ourDates] = ports as [number, number];
    const section = (port: number, how: string) =>
      `listen l${port}\n  mode http\n  bind 127.0.0.1:${port}\n  ${how}\n` +
      servers.map((server, at) => `  server s${at} 127.0.0.1:${server} cookie s${at + 1}`).join("\n");
    await peers.haproxy(
      theirs[0]!,
      [
        ...kinds.map((kind, at) => section(theirs[at]!, KINDS[kind][0])),
        section(theirDates, "cookie SRV insert indirect maxidle 1h maxlife 8h"),
      ].join("\n"),
    );
    const pool = (name: string, how: string) =>
      `  ${name}:\n    sticky: { ${how} }\n    servers:\n` +
      servers.map((port, at) =>
        `      - { name: ${NAMES[at]}, address: "127.0.0.1:${port}", cookie: s${at + 1} }\n`
      )
        .join("");
    await using node = await Node.start(`
listeners:
${kinds.map((kind, at) => `  - { name: ${kind}, bind: "127.0.0.1:${ours[at]}", pool: ${kind} }`).join("\n")}
  - { name: dates, bind: "127.0.0.1:${ourDates}", pool: dates }
pools:
${kinds.map((kind) => pool(kind, KINDS[kind][1])).join("")}${
      pool("dates", "cookie: SRV, maxIdle: 1h, maxLife: 8h, noCache: false, httpOnly: false")
    }workers: 2
`);

    for (const [at, kind] of kinds.entries()) {
      await t.step(kind, async () => {
        for (const [path, ...cookies] of REQUESTS[kind]) {
          const expected = await seen(theirs[at]!, path, ...cookies);
          // Which server gets a client that is new is of no matter here.
          const free = cookies.length === 0
            ? (text: string) => text.replace(/^[abc]/, "?")
            : (text: string) => text;
          assertEquals(free(await seen(ours[at]!, path, ...cookies)), free(expected), `${path} ${cookies}`);
        }
      });
    }

    await t.step("a client that is new gets the cookie of the server that answers", async () => {
      for (const at of [0, 1]) {
        for (const ports of [theirs, ours]) {
          const fresh = await seen(ports[at]!, "/own");
          const number = "abc".indexOf(fresh[0]!) + 1;
          assert(fresh.includes(`set-cookie: srv=s${number}; path=/`), fresh);
        }
      }
      // The attributes are the same ones, in another order.
      const sorted = (text: string) => text.split("srv=").at(-1)!.slice(2).split("; ").sort().join("; ");
      assertEquals(sorted(await seen(ours[1]!, "/")), sorted(await seen(theirs[1]!, "/")));
    });

    await t.step("dates are understood both ways", async () => {
      for (const [from, to] of [[theirDates, ourDates], [ourDates, theirDates]] as const) {
        const given = /SRV=([^;]*)/.exec(await curl("-i", `http://127.0.0.1:${from}/`))![1]!;
        assertEquals(given.split("|").map(({ length }) => length), [2, 5, 5]);
        const server = NAMES[Number(given[1]) - 1];
        const answer = await curl("-H", `Cookie: SRV=${given}`, `http://127.0.0.1:${to}/`);
        assertEquals(answer, `${server} []`);
      }
      for (const port of [theirDates, ourDates]) {
        const answer = await seen(port, "/", "SRV=s2|AAAAB|AAAAB");
        assert(
          /set-cookie: srv=s.\|[^;|]{5}\|[^;|]{5}; path=\//.test(answer) && !answer.includes("|aaaab"),
          answer,
        );
      }
    });
    assertEquals(node.program.lines.filter((line) => line.includes("error")), []);
  },
);

function countsOf({ sessions }: PoolStatus): string {
  return [sessions!.hits, sessions!.misses, sessions!.moved, sessions!.entries].join();
}

labTest(
  "run() keeps a curl's session over a reload, a drain and its server's maintenance",
  ["curl", "nginx"],
  async (t) => {
    await using peers = await Peers.make();
    const servers = await startServers(peers);
    const port = freePort();
    const config = (stateOf: (at: number) => string) => `
listeners: [{ name: web, bind: "127.0.0.1:${port}", pool: app }]
pools:
  app:
    sticky: { cookie: SRV, secret: sixteen-characters }
    servers:
${
      servers.map((server, at) =>
        `      - { name: ${NAMES[at]}, address: "127.0.0.1:${server}", state: ${stateOf(at)} }`
      )
        .join("\n")
    }
workers: 2
`;
    await using node = await Node.start(config(() => "ready"));
    const jar = `${peers.directory}/jar`;
    const ask = async (...more: string[]) =>
      (await curl(...more, "-b", jar, "-c", jar, `http://127.0.0.1:${port}/`))[0]!;
    const home = await ask();
    const at = NAMES.findIndex((name) => name === home);
    const id = () => Deno.readTextFileSync(jar).trim().split("\t").at(-1)!;
    const first = id();

    await t.step("the id tells nothing and stays", async () => {
      assert(/^[\w-]{12}$/.test(first), first);
      for (let n = 0; n < 10; n++) assertEquals(await ask(), home);
      assertEquals(id(), first);
    });
    await t.step("over HTTP/2 it is the same session", async () => {
      const http2 = ["--http2-prior-knowledge", "-H", "Cookie: x=1"];
      for (let n = 0; n < 4; n++) assertEquals(await ask(...http2), home);
    });
    await t.step("a reload changes nothing", async () => {
      await node.reload(config(() => "ready") + "drainTimeout: 10s\n");
      for (let n = 0; n < 4; n++) assertEquals(await ask(), home);
    });
    await t.step("in drain its server keeps it, and gets nobody new", async () => {
      await node.reload(config((one) => one === at ? "drain" : "ready"));
      for (let n = 0; n < 4; n++) assertEquals(await ask(), home);
      for (let n = 0; n < 6; n++) assert((await curl(`http://127.0.0.1:${port}/`))[0] !== home);
      assertEquals(id(), first);
    });
    await t.step("in maint its server loses it, to one that it stays with", async () => {
      await node.reload(config((one) => one === at ? "maint" : "ready"));
      const other = await ask();
      assert(other !== home);
      assert(id() !== first);
      await node.reload(config(() => "ready"));
      for (let n = 0; n < 4; n++) assertEquals(await ask(), other);
    });
    await t.step("and all of it is counted", async () => {
      await node.until(({ pools }) => countsOf(pools[0]!) === "26,7,1,");
      const { samples } = (await node.metrics()).get("tandem_pool_session_hits_total")!;
      assertEquals([...samples], [['tandem_pool_session_hits_total{pool="app"}', 26]]);
    });
  },
);

labTest("run() agrees in all workers where a session is", ["curl", "nginx"], async (t) => {
  await using peers = await Peers.make();
  const servers = await startServers(peers);
  const [web, learned, raw] = freePorts(3) as [number, number, number];
  const list = servers.map((port, at) => `{ name: ${NAMES[at]}, address: "127.0.0.1:${port}" }`).join(", ");
  const config = (size: number) => `
listeners:
  - { name: web, bind: "127.0.0.1:${web}", pool: byAddress }
  - { name: learned, bind: "127.0.0.1:${learned}", pool: byCookie }
  - { name: raw, bind: "127.0.0.1:${raw}", protocol: tcp, pool: byAddress }
pools:
  byAddress: { balance: random, sticky: { by: sourceIp, mask: { ipv4: 30 }, size: ${size} }, servers: [${list}] }
  byCookie: { sticky: { by: ["cookie:SID", "query:sid"], learn: "setCookie:SID" }, servers: [${list}] }
workers: 4
`;
  await using node = await Node.start(config(1000));

  /** So many connections from one address, all at once: which servers they came to. */
  async function crowd(port: number, host: string, count: number): Promise<Set<string>> {
    const urls = Array.from({ length: count }, () => `http://127.0.0.1:${port}/`);
    const text = await curl(
      "--interface",
      host,
      "-Z",
      "--parallel-immediate",
      "--parallel-max",
      `${count}`,
      "-H",
      "Connection: close",
      ...urls,
    );
    const answers = [...text.matchAll(/([abc]) \[\]/g)].map(([, name]) => name!);
    assertEquals(answers.length, count, text);
    return new Set(answers);
  }

  const firsts: string[] = [];
  await t.step("many connections of a new client at once, over http and tcp", async () => {
    for (let host = 0; host < 6; host++) {
      const [port, other] = host % 2 === 0 ? [web, raw] : [raw, web];
      const address = `127.0.1.${4 * host}`;
      const all = [...await crowd(port, address, 40), ...await crowd(other, `127.0.1.${4 * host + 3}`, 10)];
      assertEquals(new Set(all).size, 1, `${address}: ${all}`);
      firsts.push(all[0]!);
    }
    const { sessions } = (await node.status()).pools[0]!;
    assertEquals([sessions!.entries, sessions!.size, sessions!.evictions], [6, 1000, 0]);
  });
  await t.step("a reload to another size keeps them", async () => {
    await node.reload(config(5000));
    const again = [];
    for (let host = 0; host < 6; host++) again.push(...await crowd(web, `127.0.1.${4 * host + 1}`, 3));
    assertEquals(again, firsts);
    assertEquals((await node.status()).pools[0]!.sessions!.size, 5000);
  });
  await t.step("what a server's answer sets is known to all", async () => {
    for (let n = 0; n < 3; n++) {
      const text = await curl("-i", `http://127.0.0.1:${learned}/login`);
      const [, sid, home] = /SID=((.)-[0-9a-f]+);/i.exec(text)!;
      for (let again = 0; again < 4; again++) {
        assertEquals((await curl("-H", `Cookie: SID=${sid}`, `http://127.0.0.1:${learned}/`))[0], home);
        assertEquals((await curl(`http://127.0.0.1:${learned}/?sid=${sid}`))[0], home);
      }
    }
  });
});
