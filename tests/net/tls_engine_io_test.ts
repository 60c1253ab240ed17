/** Both implementations of TLS as listeners use them, with openssl as the client, which takes sessions up again. */
import { DenoListener, type StreamWorld } from "../../mod/net/deno_io.ts";
import { BufferPool } from "../../mod/net/buffers.ts";
import type { StreamHandler } from "../../mod/net/stream.ts";
import { type TicketKeys, turned } from "../../mod/net/ticket_keys.ts";
import { makeTlsEngine, newTicketKey, newTicketKeys } from "../../mod/net/tls_engine_io.ts";
import { TlsStream } from "../../mod/net/tls_stream.ts";
import type { MakeTls, TlsFacts } from "../../mod/net/tls.ts";
import { tryTls } from "../../mod/net/tls_trial_io.ts";
import type { TlsSnapshot } from "../../mod/config/snapshot.ts";
import { assert, assertEquals } from "../assert.ts";
import { labTest } from "../lab/tools.ts";
import { Certificates, openssl } from "./openssl.ts";
import { listenerTerms } from "./tls_pair.ts";

Deno.test("tryTls() finds that this runtime keeps what listeners promise", () => {
  assertEquals(tryTls(), null);
});

/** A server that answers everything with one line, and tells what came of each connection. */
class Echo implements Disposable {
  readonly outcomes: (TlsFacts | string)[] = [];
  readonly #world: StreamWorld = {
    buffers: new BufferPool(),
    tick() {},
    onBug: (error) => this.outcomes.push(String(error)),
  };
  readonly #listener = new DenoListener("127.0.0.1", 0, this.#world);

  constructor(terms: TlsSnapshot, make: MakeTls) {
    const acceptor = make(terms);
    void this.#listener.accept({
      mayAccept: () => true,
      onAcceptError() {},
      onAccept: (below) => {
        new TlsStream(below, "client", (events) => acceptor.open(events), {
          onSecure: (stream, facts) => {
            this.outcomes.push(facts);
            stream.handler = answering(stream);
            stream.resume();
          },
          onRefused: (reason) => {
            this.outcomes.push(reason);
            below.close();
          },
          onGone() {},
          onBug: (error) => this.outcomes.push(String(error)),
        }).start();
      },
    });
  }

  get port(): number {
    return this.#listener.port;
  }

  [Symbol.dispose](): void {
    this.#listener.close();
  }
}

function answering(stream: TlsStream): StreamHandler {
  return {
    onData: () => void stream.write(new TextEncoder().encode("an answer\n")),
    onEnd: () => stream.end(),
    onDrain() {},
    onClosed() {},
  };
}

/** What openssl says of one connection. */
async function connect(port: number, args: readonly string[], name = "shop.test"): Promise<string> {
  const sni = name === "" ? ["-noservername"] : ["-servername", name];
  const all = ["s_client", "-connect", `127.0.0.1:${port}`, ...sni, ...args];
  return (await openssl(all, "hello\n", "an answer")).text;
}

for (const prefer of ["openssl", "rustls"] as const) {
  // One engine is one thread, which with rustls has one store of sessions.
  const engine = makeTlsEngine({ buffers: new BufferPool(), ticketKeys: newTicketKeys(), prefer });
  const serving = (terms: TlsSnapshot) => new Echo(terms, engine.acceptor);

  labTest(
    `${prefer} shows the certificate of the name, and refuses unknown ones if told to`,
    ["openssl"],
    async () => {
      await using made = await Certificates.make();
      await made.issue("shop");
      await made.issue("api", { kind: "rsa" });
      using loose = serving(listenerTerms(made, ["shop", "api"]));
      using strict = serving(listenerTerms(made, ["shop", "api"], { strictSni: true }));
      for (
        const [name, subject] of [["shop.test", "shop"], ["API.test", "api"], ["x.test", "shop"], [
          "",
          "shop",
        ]] as const
      ) {
        const text = await connect(loose.port, [], name);
        assert(text.includes(`CN = ${subject}.test`), `${name}: ${text}`);
        assert(text.includes("an answer"), text);
      }
      assertEquals(loose.outcomes.map((one) => typeof one === "string" ? one : one.serverName), [
        "shop.test",
        "api.test",
        "x.test",
        "",
      ]);
      assert((await connect(strict.port, [], "api.test")).includes("an answer"));
      assert((await connect(strict.port, [], "")).includes("an answer"));
      const refused = await connect(strict.port, [], "x.test");
      assert(refused.includes("unrecognized name") && !refused.includes("an answer"), refused);
    },
  );

  labTest(
    `${prefer} holds to the least version and speaks no older one than 1.2`,
    ["openssl"],
    async () => {
      await using made = await Certificates.make();
      await made.issue("shop");
      using any = serving(listenerTerms(made, ["shop"]));
      using newest = serving(listenerTerms(made, ["shop"], { minVersion: "1.3" }));
      const answers = async (port: number, version: string) =>
        (await connect(port, [version, "-cipher", "DEFAULT@SECLEVEL=0"])).includes("an answer");
      const versions = ["-tls1", "-tls1_1", "-tls1_2", "-tls1_3"];
      const served: boolean[] = [];
      for (const version of versions) {
        served.push(
          await answers(any.port, version),
          await answers(newest.port, version),
        );
      }
      assertEquals(served, [false, false, false, false, true, false, true, true]);
      assertEquals(newest.outcomes.filter((one) => typeof one === "string").length, 3);
    },
  );

  labTest(`${prefer} takes sessions up again in both versions`, ["openssl"], async () => {
    await using made = await Certificates.make();
    await made.issue("shop");
    using echo = serving(listenerTerms(made, ["shop"]));
    for (const version of ["-tls1_2", "-tls1_3"]) {
      const session = made.path(`session${version}`);
      await connect(echo.port, [version, "-sess_out", session]);
      assert((await connect(echo.port, [version, "-sess_in", session])).includes("Reused"));
    }
    assertEquals(echo.outcomes.map((one) => typeof one === "string" ? one : one.resumed), [
      false,
      true,
      false,
      true,
    ]);
  });

  labTest(
    `${prefer} agrees on a protocol by ALPN, and refuses clients that share none`,
    ["openssl"],
    async () => {
      await using made = await Certificates.make();
      await made.issue("shop");
      using echo = serving(listenerTerms(made, ["shop"], { alpn: ["http/1.1"] }));
      assert((await connect(echo.port, ["-alpn", "h2,http/1.1"])).includes("ALPN protocol: http/1.1"));
      assert((await connect(echo.port, [])).includes("an answer"));
      assert((await connect(echo.port, ["-alpn", "h2"])).includes("no application protocol"));
    },
  );

  for (const mode of ["required", "optional"] as const) {
    labTest(`${prefer} ${mode} client certificates: only good ones are served`, ["openssl"], async () => {
      await using made = await Certificates.make();
      await made.issue("shop");
      await made.issue("authority");
      await made.issue("stranger");
      await made.issue("good", { by: "authority", client: true, subject: "/O=Us/CN=good client" });
      await made.issue("server", { by: "authority" });
      await made.issue("foreign", { by: "stranger", client: true });
      await made.issueExpired("old", "authority");
      const clientAuth = { mode, ca: made.text("authority.pem") };
      using echo = serving(listenerTerms(made, ["shop"], { clientAuth }));
      const show = (name: string) => ["-cert", made.path(`${name}.pem`), "-key", made.path(`${name}.key`)];
      for (const version of ["-tls1_2", "-tls1_3"]) {
        echo.outcomes.length = 0;
        assert((await connect(echo.port, [version, ...show("good")])).includes("an answer"), version);
        const [facts] = echo.outcomes as TlsFacts[];
        assertEquals(facts!.client?.subject, "O=Us,CN=good client");
        assertEquals(facts!.client?.fingerprint.length, 64);
        assertEquals((await connect(echo.port, [version])).includes("an answer"), mode === "optional");
        for (const name of ["stranger", "foreign", "server", "old", "shop"]) {
          const text = await connect(echo.port, [version, ...show(name)]);
          assert(!text.includes("an answer"), `${version} ${name}: ${text}`);
        }
        assertEquals(
          echo.outcomes.slice(2).map((one) => typeof one),
          Array.from({ length: 5 }, () => "string"),
        );
      }
    });
  }

  labTest(`${prefer} does not take up the session of a client that was refused`, ["openssl"], async () => {
    await using made = await Certificates.make();
    await made.issue("shop");
    await made.issue("authority");
    await made.issue("stranger");
    await made.issue("good", { by: "authority", client: true });
    await made.issue("foreign", { by: "stranger", client: true });
    const clientAuth = { mode: "required", ca: made.text("authority.pem") } as const;
    using open = serving(listenerTerms(made, ["shop"]));
    using optional = serving(
      listenerTerms(made, ["shop"], { clientAuth: { ...clientAuth, mode: "optional" } }),
    );
    using guarded = serving(listenerTerms(made, ["shop"], { clientAuth }));
    using strangers = serving(
      listenerTerms(made, ["shop"], { clientAuth: { mode: "required", ca: made.text("stranger.pem") } }),
    );
    const show = (name: string) => ["-cert", made.path(`${name}.pem`), "-key", made.path(`${name}.key`)];
    let sessions = 0;
    for (const version of ["-tls1_2", "-tls1_3"]) {
      const twice = async (first: Echo, second: Echo, ...client: string[]) => {
        const session = made.path(`session${sessions++}`);
        await connect(first.port, [version, ...client, "-sess_out", session]);
        const got = await Deno.stat(session).then(() => true, () => false);
        return got &&
          (await connect(second.port, [version, ...client, "-sess_in", session])).includes("an answer");
      };
      assertEquals(await twice(guarded, guarded, ...show("good")), true);
      assertEquals(await twice(guarded, guarded, ...show("stranger")), false);
      assertEquals(await twice(optional, guarded, ...show("stranger")), false);
      assertEquals(await twice(optional, optional, ...show("stranger")), false);
      assertEquals(await twice(open, guarded), false);
      // Good there, and with a session to show for it.
      assertEquals(await twice(strangers, strangers, ...show("foreign")), true);
      assertEquals(await twice(strangers, guarded, ...show("foreign")), false);
      assertEquals(await twice(optional, guarded, ...show("good")), true);
    }
  });
}

labTest("openssl sessions are taken up by another worker, which has the same keys", ["openssl"], async () => {
  await using made = await Certificates.make();
  await made.issue("shop");
  const ticketKeys = newTicketKeys();
  const worker = (keys: TicketKeys) =>
    new Echo(
      listenerTerms(made, ["shop"]),
      makeTlsEngine({ buffers: new BufferPool(), ticketKeys: keys }).acceptor,
    );
  using first = worker(ticketKeys);
  using second = worker(ticketKeys);
  using stranger = worker(newTicketKeys());
  for (const version of ["-tls1_2", "-tls1_3"]) {
    const session = made.path(`session${version}`);
    await connect(first.port, [version, "-sess_out", session]);
    assert((await connect(second.port, [version, "-sess_in", session])).includes("Reused"), version);
    assert((await connect(stranger.port, [version, "-sess_in", session])).includes("New"), version);
  }
});

labTest("openssl takes sessions up whose key had its turn before, or has it next, and no older ones", [
  "openssl",
], async () => {
  await using made = await Certificates.make();
  await made.issue("shop");
  const worker = (keys: TicketKeys) =>
    new Echo(
      listenerTerms(made, ["shop"]),
      makeTlsEngine({ buffers: new BufferPool(), ticketKeys: keys }).acceptor,
    );
  for (const version of ["-tls1_2", "-tls1_3"]) {
    const keys = newTicketKeys();
    const late: TicketKeys = { ring: keys.ring };
    using first = worker(keys);
    using second = worker(late);
    const turn = () => keys.ring = turned(keys.ring, newTicketKey());
    const session = made.path(`turned${version}`);
    const take = async (port: number, ...more: string[]) =>
      /Reused|New/.exec(await connect(port, [version, "-sess_in", session, ...more]))![0];
    turn();
    await connect(first.port, [version, "-sess_out", session]);
    assertEquals(await take(second.port), "Reused", "a worker that has not heard of the turn");
    turn();
    // The ticket that is given then is of the new key.
    const renewed = made.path(`renewed${version}`);
    assertEquals(await take(first.port, "-sess_out", renewed), "Reused", "of the key before");
    turn();
    assertEquals(await take(first.port), "New", "of a key that is gone");
    // This client does not write what it is given with TLS 1.2 once it has a session.
    if (version === "-tls1_2") continue;
    Deno.copyFileSync(renewed, session);
    assertEquals(await take(first.port), "Reused", "that was given since");
  }
});
