/** OpenSSL as a codec, both ends in memory: what many connections share must not be seen by any of them. */
import { BufferPool } from "../../mod/net/buffers.ts";
import { MOST_WARM } from "../../mod/net/openssl_codec_io.ts";
import { makeTlsEngine, newTicketKeys } from "../../mod/net/tls_engine_io.ts";
import type { TlsConnector } from "../../mod/net/tls.ts";
import { assert, assertEquals } from "../assert.ts";
import { labTest } from "../lab/tools.ts";
import { Certificates } from "./openssl.ts";
import { End, listenerTerms, pass, poolTerms } from "./tls_pair.ts";

const buffers = new BufferPool();
const ticketKeys = newTicketKeys();
const { acceptor, connector } = makeTlsEngine({ buffers, ticketKeys });

const clientOf = (pool: TlsConnector, name: string) =>
  new End((events) => pool.open("127.0.0.1", 443, name, events));

async function certificates(...names: string[]): Promise<Certificates> {
  const made = await Certificates.make();
  await made.issue("authority");
  for (const name of names) await made.issue(name, { by: "authority" });
  return made;
}

labTest(
  "OpensslCodec() many connections at once, cut at every byte, never see each other's",
  ["openssl"],
  async () => {
    await using made = await certificates("shop");
    const listener = acceptor(listenerTerms(made, ["shop"]));
    const pool = connector(poolTerms(made.text("authority.pem")), false);
    const pairs = Array.from({ length: 8 }, () => ({
      client: clientOf(pool, "shop.test"),
      server: new End((events) => listener.open(events)),
    }));
    const queues = pairs.flatMap(({ client, server }, index) =>
      [{ from: client, to: server }, { from: server, to: client }]
        .map((ends) => ({ ...ends, rest: [] as Uint8Array[], step: 1 + 40 * index }))
    );
    const settle = () => {
      for (let busy = true; busy;) {
        busy = false;
        for (const { from, to, rest, step } of queues) {
          rest.push(...from.sent.splice(0));
          const bytes = rest.shift();
          if (bytes === undefined) continue;
          busy = true;
          to.codec.receive(bytes.subarray(0, step));
          if (bytes.length > step) rest.unshift(bytes.subarray(step));
        }
      }
    };
    settle();
    for (const [index, { client, server }] of pairs.entries()) {
      assertEquals([client.fault, server.fault, server.facts?.serverName], [null, null, "shop.test"]);
      client.say(`question ${index}`);
      server.say(`answer ${index}`.repeat(2000));
    }
    settle();
    for (const [index, { client, server }] of pairs.entries()) {
      assertEquals(server.text, `question ${index}`);
      assertEquals(client.text, `answer ${index}`.repeat(2000));
      client.codec.destroy();
      server.codec.destroy();
    }
    assertEquals(buffers.outstanding, 0);
  },
);

labTest("OpensslCodec() one that fails in any way does not disturb the others", ["openssl"], async () => {
  await using made = await certificates("shop");
  await made.issue("client", { by: "authority", client: true });
  await made.issue("stranger", { client: true });
  const ca = made.text("authority.pem");
  const clientAuth = { mode: "required", ca } as const;
  const listener = acceptor(listenerTerms(made, ["shop"], { alpn: ["h2"], strictSni: true, clientAuth }));
  const show = (name: string) => ({ cert: made.text(`${name}.pem`), key: made.text(`${name}.key`) });
  const good = { clientCertificate: show("client"), alpn: ["h2"] };
  const open = () => new End((events) => listener.open(events));
  const client = clientOf(connector(poolTerms(ca, good)), "shop.test");
  const server = open();
  pass(client, server);
  const failures: [string, () => string | null][] = [
    ["a name that nobody has", () => failing(poolTerms(ca, good), "x.test")],
    ["a protocol that is not spoken", () => failing(poolTerms(ca, { ...good, alpn: ["x"] }), "shop.test")],
    ["no certificate", () => failing(poolTerms(ca, { alpn: ["h2"] }), "shop.test")],
    [
      "a stranger's certificate",
      () => failing(poolTerms(ca, { ...good, clientCertificate: show("stranger") }), "shop.test"),
    ],
    ["an authority that is unknown", () => failing(poolTerms(made.text("stranger.pem"), good), "shop.test")],
    ["a name that is no name", () => failing(poolTerms(ca, { ...good, verify: false }), "sh\u010ap.test")],
    ["garbage", () => {
      const end = open();
      end.codec.receive(new Uint8Array([22, 3, 1, 0, 5, 9, 9, 9, 9, 9]));
      end.codec.destroy();
      return end.fault;
    }],
    ["a record that was changed", () => {
      const [near, far] = [clientOf(connector(poolTerms(ca, good)), "shop.test"), open()];
      pass(near, far);
      near.say("text");
      near.sent[0]![8]! ^= 1;
      pass(near, far);
      near.codec.destroy();
      far.codec.destroy();
      return far.fault;
    }],
  ];
  function failing(terms: ReturnType<typeof poolTerms>, name: string): string | null {
    const near = clientOf(connector(terms, false), name);
    const far = open();
    pass(near, far);
    near.codec.destroy();
    far.codec.destroy();
    return near.fault ?? far.fault;
  }
  for (const [what, run] of failures) {
    assert(run() !== null, `${what} is refused`);
    client.say(`after ${what}. `);
    server.say(`answer after ${what}. `);
    pass(client, server);
    assertEquals([client.fault, server.fault], [null, null], what);
  }
  assert(server.text.endsWith("after a record that was changed. "), server.text);
  assertEquals(server.text.split(". ").length, failures.length + 1);
});

labTest("OpensslCodec() what came in part is kept, however many are used before the rest comes", [
  "openssl",
], async () => {
  await using made = await certificates("shop");
  const listener = acceptor(listenerTerms(made, ["shop"]));
  const pool = connector(poolTerms(made.text("authority.pem")));
  const connect = () => {
    const ends = [clientOf(pool, "shop.test"), new End((events) => listener.open(events))] as const;
    pass(...ends);
    return ends;
  };
  // Within the header of a record, behind it, and within its text.
  for (const cut of [1, 5, 6, 9]) {
    const [client, server] = connect();
    client.say("question");
    const record = client.sent.splice(0)[0]!;
    server.codec.receive(record.subarray(0, cut));
    for (let used = 0; used <= MOST_WARM; used += 2) connect().forEach(({ codec }) => codec.destroy());
    server.codec.receive(record.subarray(cut));
    server.say("answer");
    pass(client, server);
    assertEquals([server.text, client.text, server.fault], ["question", "answer", null], `cut at ${cut}`);
    client.codec.destroy();
    server.codec.destroy();
  }
  assertEquals(buffers.outstanding, 0);
});

labTest("OpensslCodec() ignores what comes after the end of the text", ["openssl"], async () => {
  await using made = await certificates("shop");
  const client = clientOf(connector(poolTerms(made.text("authority.pem"))), "shop.test");
  const server = new End((events) => acceptor(listenerTerms(made, ["shop"])).open(events));
  pass(client, server);
  client.say("all");
  client.codec.end();
  pass(client, server);
  server.codec.receive(new Uint8Array([23, 3, 3, 0, 20, ...new Uint8Array(20)]));
  assertEquals([server.text, server.ends, server.fault], ["all", 1, null]);
  server.say("goes on");
  pass(client, server);
  assertEquals(client.text, "goes on");
});

labTest(
  "OpensslCodec() a name that no certificate can be checked for is never connected to",
  ["openssl"],
  async () => {
    await using made = await certificates("shop");
    for (const name of ["shop.test\0.evil", "fe80::1%eth0"]) {
      const client = clientOf(connector(poolTerms(made.text("authority.pem"))), name);
      assert(client.fault?.startsWith("no certificate can be for"), `${name}: ${client.fault}`);
      assertEquals(client.sent, []);
    }
  },
);

labTest("opensslAcceptor() a session counts only where certificates for the same names are shown", [
  "openssl",
], async () => {
  await using made = await certificates("shop", "api");
  await made.issue("renewed", { names: ["shop.test"], by: "authority" });
  const pool = connector(poolTerms(made.text("authority.pem"), { verify: false }));
  const renewed = listenerTerms(made, ["renewed"]).certificates.map((one) => ({
    ...one,
    names: ["shop.test"],
  }));
  const [shop, again, other] = [
    acceptor(listenerTerms(made, ["shop"])),
    acceptor(listenerTerms(made, [], { certificates: renewed })),
    acceptor(listenerTerms(made, ["api"])),
  ];
  const resumed = [shop, shop, again, other, other].map((listener) => {
    const client = clientOf(pool, "shop.test");
    const server = new End((events) => listener!.open(events));
    pass(client, server);
    server.say("something, with which the ticket comes");
    pass(client, server);
    return server.facts?.resumed;
  });
  assertEquals(resumed, [false, true, true, false, true]);
});
