/** Lookups against real nameservers on loopback: Debian's dnsmasq, and a scripted one for what dnsmasq never does. */
import { assert, assertEquals, assertMatch } from "../assert.ts";
import { labTest } from "../lab/tools.ts";
import { Dnsmasq } from "./dnsmasq.ts";
import { membersOf, type Name, type NameType, ttlOf } from "../../mod/discovery/answer.ts";
import { Discovery } from "../../mod/discovery/discovery_io.ts";
import { queryDns } from "../../mod/discovery/dns_query_io.ts";
import { lookUp, type LookupOptions } from "../../mod/discovery/lookup_io.ts";

const never = new AbortController().signal;
/** Seconds that dnsmasq gives every record of its own. */
const TTL_S = 7;

/** A directory with a hosts file and a resolv.conf, and the options to look up by them. */
async function withFiles(
  port: number,
  files: { hosts?: string; resolvConf?: string },
  body: (options: LookupOptions, directory: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  const options = {
    hostsPath: `${directory}/hosts`,
    resolvConfPath: `${directory}/resolv.conf`,
    port,
    system: false,
  };
  try {
    await Deno.writeTextFile(options.hostsPath, files.hosts ?? "");
    const resolvConf = files.resolvConf ?? "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n";
    await Deno.writeTextFile(options.resolvConfPath, resolvConf);
    await body(options, directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** A UDP port that was free a moment ago, and may be taken by now. */
function freePort(): number {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  socket.close();
  return (socket.addr as Deno.NetAddr).port;
}

/** dnsmasq wants one port for UDP and TCP, and cannot draw one itself. */
const PORT_TRIES = 10;

async function withDnsmasq(
  records: string,
  args: string[],
  files: { hosts?: string; resolvConf?: string },
  body: (options: LookupOptions, dnsmasq: Dnsmasq) => Promise<void>,
): Promise<void> {
  await withFiles(0, files, async (options, directory) => {
    for (let tries = 0; tries < PORT_TRIES; tries++) {
      const dnsmasq = new Dnsmasq(directory, { port: freePort(), ttlS: TTL_S, args }, records);
      try {
        if (!await dnsmasq.start()) continue;
        return await body({ ...options, port: dnsmasq.at.port }, dnsmasq);
      } finally {
        await dnsmasq.stop();
      }
    }
    throw new Error(`dnsmasq did not start on any of ${PORT_TRIES} ports`);
  });
}

async function hosts(dns: string, type: NameType, options: LookupOptions): Promise<string[]> {
  return membersOf(await lookUp({ dns, type }, options, never)).map(({ host }) => host);
}

const RECORDS = "10.1.1.2 app.test\n10.1.1.1 app.test\nfd00::1 app.test\n10.1.1.3 b.test\n";

labTest("lookUp() dnsmasq: A, AAAA or both, with their time to live", ["dnsmasq"], async () => {
  await withDnsmasq(RECORDS, [], {}, async (options) => {
    assertEquals(await hosts("app.test", "host", options), ["10.1.1.1", "10.1.1.2", "fd00::1"]);
    assertEquals(await hosts("app.test", "A", options), ["10.1.1.1", "10.1.1.2"]);
    assertEquals(await hosts("app.test", "AAAA", options), ["fd00::1"]);
    assertEquals(await hosts("b.test", "host", options), ["10.1.1.3"]);
    assertEquals(ttlOf(await lookUp({ dns: "app.test", type: "host" }, options, never)), TTL_S);
  });
});

labTest(
  "lookUp() dnsmasq: SRV with ports, weights, priorities and its own time to live",
  ["dnsmasq"],
  async () => {
    const args = [
      "--srv-host=_app._tcp.test,app.test,8080,10,6",
      "--srv-host=_app._tcp.test,b.test,8081,20,5",
    ];
    await withDnsmasq(RECORDS, args, {}, async (options) => {
      const found = await lookUp({ dns: "_app._tcp.test", type: "SRV" }, options, never);
      assertEquals(membersOf(found), [
        { host: "10.1.1.1", port: 8080, weight: 6, backup: false },
        { host: "10.1.1.2", port: 8080, weight: 6, backup: false },
        { host: "fd00::1", port: 8080, weight: 6, backup: false },
        { host: "10.1.1.3", port: 8081, weight: 5, backup: true },
      ]);
      assertEquals([found.services?.kind === "found" && found.services.ttlS, ttlOf(found)], [TTL_S, TTL_S]);
    });
  },
);

labTest("lookUp() dnsmasq: an alias leads to its target's addresses", ["dnsmasq"], async () => {
  await withDnsmasq(RECORDS, ["--cname=www.test,app.test"], {}, async (options) => {
    assertEquals(await hosts("www.test", "A", options), ["10.1.1.1", "10.1.1.2"]);
  });
});

labTest("lookUp() dnsmasq: an answer too long for UDP comes whole over TCP", ["dnsmasq"], async () => {
  const many = Array.from({ length: 100 }, (_, at) => `10.2.0.${at} many.test`).join("\n");
  await withDnsmasq(`${many}\n`, [], {}, async (options) => {
    assertEquals((await hosts("many.test", "A", options)).length, 100);
  });
});

labTest("lookUp() dnsmasq: search domains, and a final dot that keeps them away", ["dnsmasq"], async () => {
  const resolvConf = "nameserver 127.0.0.1\nsearch none.test test\noptions timeout:1 attempts:1\n";
  await withDnsmasq(RECORDS, [], { resolvConf }, async (options) => {
    assertEquals(await hosts("b", "A", options), ["10.1.1.3"]);
    assertEquals(await hosts("b.test.", "A", options), ["10.1.1.3"]);
    assertEquals(await hosts("b.", "A", options), []);
  });
});

labTest("lookUp() dnsmasq: a missing name or kind is told from a failure", ["dnsmasq"], async () => {
  await withDnsmasq(RECORDS, [], {}, async (options) => {
    const parts = async (dns: string, type: NameType) => [
      ...(await lookUp({ dns, type }, options, never)).addresses.values(),
    ];
    assertEquals(await parts("nothing.test", "A"), [{ kind: "none", reason: "no such name" }]);
    assertEquals(await parts("b.test", "AAAA"), [{ kind: "none", reason: "no AAAA records" }]);
    const [refused] = await parts("elsewhere.example", "A");
    assertEquals(refused?.kind, "failed");
  });
});

labTest(
  "Discovery() dnsmasq: changes are followed, a dead nameserver costs no servers",
  ["dnsmasq"],
  async () => {
    await withDnsmasq(RECORDS, [], {}, async (options, dnsmasq) => {
      const app: Name = { dns: "app.test", type: "A" };
      let changed = Promise.withResolvers<void>();
      const timers = new Set<number>();
      let skippedMs = 0;
      const discovery = new Discovery({
        lookUp: (name, signal) => lookUp(name, options, signal),
        onChange: () => changed.resolve(),
        onTrouble: () => {},
        // A clock that is hurried along, so that nobody waits for a time to live.
        now: () => performance.now() + skippedMs,
        after: (ms, call) => {
          const timer = Number(setTimeout(() => {
            timers.delete(timer);
            skippedMs += ms - Math.min(ms, 20);
            call();
          }, Math.min(ms, 20)));
          timers.add(timer);
          return () => {
            timers.delete(timer);
            clearTimeout(timer);
          };
        },
      });
      const members = () => discovery.members(app).map(({ host }) => host);
      discovery.update([app]);
      await changed.promise;
      assertEquals(members(), ["10.1.1.1", "10.1.1.2"]);

      changed = Promise.withResolvers();
      await dnsmasq.reload("10.1.1.9 app.test\n");
      await changed.promise;
      assertEquals(members(), ["10.1.1.9"]);

      await dnsmasq.stop();
      while (discovery.status()[0]?.state !== "stale") {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      assertEquals(members(), ["10.1.1.9"]);
      assertMatch(discovery.status()[0]?.reason ?? "", /^app\.test A from 127\.0\.0\.1: /);

      changed = Promise.withResolvers();
      await dnsmasq.reload("10.1.1.10 app.test\n");
      await dnsmasq.start();
      await changed.promise;
      assertEquals([members(), discovery.status()[0]?.state], [["10.1.1.10"], "good"]);
      await discovery.close();
      assertEquals(timers.size, 0);
    });
  },
);

Deno.test("lookUp() the hosts file goes before DNS, and no nameserver is asked", async () => {
  const file = "127.0.0.1 localhost\n10.9.9.1 app.test\nfd00::9 app.test\n";
  await withFiles(freePort(), { hosts: file }, async (options) => {
    assertEquals(await hosts("app.test", "host", options), ["10.9.9.1", "fd00::9"]);
    assertEquals(await hosts("app.test", "AAAA", options), ["fd00::9"]);
    assertEquals(await hosts("localhost", "host", options), ["127.0.0.1"]);
  });
});

Deno.test("lookUp() without either file localhost still is this machine", async () => {
  const options = {
    hostsPath: "/nonexistent/hosts",
    resolvConfPath: "/nonexistent/resolv.conf",
    port: 1,
    system: false,
  };
  assertEquals(await hosts("localhost", "A", options), ["127.0.0.1"]);
});

/** A nameserver on UDP that sends what `script` makes of each query. */
async function withScript(
  script: (query: Uint8Array) => Uint8Array[],
  body: (port: number) => Promise<void>,
): Promise<void> {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for await (const [query, from] of socket) {
      for (const answer of script(query.slice())) await socket.send(answer, from);
    }
  })().catch(() => {});
  try {
    await body((socket.addr as Deno.NetAddr).port);
  } finally {
    socket.close();
    await serving;
  }
}

/** The answer to a query with one address. */
function addressAnswer(query: Uint8Array, address: number[]): Uint8Array {
  const record = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address];
  const bytes = Uint8Array.from([...query, ...record]);
  bytes.set([0x81, 0x80], 2);
  bytes.set([0, 1], 6);
  return bytes;
}

Deno.test("lookUp() what DNS says does not exist the system's resolver may still know", async () => {
  const noSuchName = (query: Uint8Array) => {
    const answer = query.slice();
    answer.set([0x81, 0x83], 2);
    return [answer];
  };
  await withScript(noSuchName, (port) =>
    withFiles(port, {}, async (options) => {
      // An address is the one thing that getaddrinfo knows everywhere without asking anybody.
      assertEquals(await hosts("127.0.0.1", "A", { ...options, system: true }), ["127.0.0.1"]);
      assertEquals(await hosts("127.0.0.1", "A", options), []);
    }));
});

Deno.test("queryDns() answers to other questions are passed over until the right one comes", async () => {
  const script = (query: Uint8Array) => {
    const wrongId = addressAnswer(query, [6, 6, 6, 6]);
    wrongId[0]! ^= 0xff;
    const wrongName = addressAnswer(query, [6, 6, 6, 6]);
    wrongName[13]! ^= 0x01;
    return [Uint8Array.of(1, 2, 3), wrongId, wrongName, addressAnswer(query, [10, 0, 0, 1])];
  };
  await withScript(script, async (port) => {
    const servers = { hosts: ["127.0.0.1"], port, timeoutMs: 5000, attempts: 1 };
    const answer = await queryDns("app.test", "A", servers, never);
    assertEquals(answer.kind === "found" && answer.addresses, ["10.0.0.1"]);
  });
});

Deno.test("queryDns() a nameserver that fails is followed by the next, a silent one is asked again", async () => {
  const seen: number[] = [];
  const script = (query: Uint8Array) => {
    seen.push(query.length);
    if (seen.length === 1) return [];
    if (seen.length > 2) return [addressAnswer(query, [10, 0, 0, 1])];
    const refused = query.slice();
    refused.set([0x81, 0x82], 2);
    return [refused];
  };
  await withScript(script, async (port) => {
    const servers = { hosts: ["127.0.0.1"], port, timeoutMs: 100, attempts: 3 };
    assertEquals((await queryDns("app.test", "A", servers, never)).kind, "found");
    assertEquals(seen.length, 3);
  });
});

Deno.test("queryDns() without any answer the reason names question, nameserver and what happened", async () => {
  await withScript(() => [], async (port) => {
    const servers = { hosts: ["127.0.0.1"], port, timeoutMs: 20, attempts: 2 };
    assertEquals(await queryDns("app.test", "A", servers, never), {
      kind: "failed",
      reason: "app.test A from 127.0.0.1: no answer within 20 ms",
    });
  });
});

Deno.test("queryDns() cancelled under way ends at once and closes its socket", async () => {
  const asked = Promise.withResolvers<void>();
  const script = () => {
    asked.resolve();
    return [];
  };
  await withScript(script, async (port) => {
    const abort = new AbortController();
    const servers = { hosts: ["127.0.0.1"], port, timeoutMs: 60_000, attempts: 9 };
    const answer = queryDns("app.test", "A", servers, abort.signal);
    await asked.promise;
    abort.abort();
    const { kind, ...rest } = await answer;
    assert(kind === "failed" && "reason" in rest);
    assertMatch(rest.reason, /the lookup was cancelled$/);
  });
});
