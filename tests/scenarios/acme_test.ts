/** Certificates by ACME at a whole node, from a real authority for tests (Pebble), shown to openssl as a client. */
import { assert, assertEquals, assertNotEquals } from "../assert.ts";
import { labTest } from "../lab/tools.ts";
import { openssl } from "../net/openssl.ts";
import { eventually, freePorts, Node } from "./node.ts";
import { Pebble } from "./pebble.ts";

const NEEDS = ["pebble", "openssl"];

interface Wishes {
  readonly challenge?: "http" | "tlsAlpn";
  readonly names?: readonly string[];
  readonly directory?: string;
  readonly more?: string;
}

/** Two listeners, of which the one with TLS has its certificates by ACME. */
function configOf(pebble: Pebble, wishes: Wishes = {}): string {
  const { httpPort, tlsPort } = pebble.options;
  const { challenge = "http", names = ["shop.test"], directory = pebble.directory, more = "" } = wishes;
  return `
acme: { agreeTerms: true, directory: "${directory}", ca: "${pebble.ca}", challenge: ${challenge}${more} }
listeners:
  - { name: plain, bind: "127.0.0.1:${httpPort}", redirectHttps: ${tlsPort} }
  - name: web
    bind: "127.0.0.1:${tlsPort}"
    tls: { acme: [${names.join(", ")}] }
    routes: [{ respond: { body: hello } }]
pools: {}
workers: 2
`;
}

/** Issuer and validity of what a client of this name is shown. */
async function shown(port: number, name: string): Promise<string> {
  const { text } = await openssl(["s_client", "-connect", `127.0.0.1:${port}`, "-servername", name]);
  const pem = /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/.exec(text)?.[0];
  if (pem === undefined) return "";
  const facts = await openssl(["x509", "-noout", "-issuer", "-serial", "-ext", "subjectAltName"], pem);
  return facts.text;
}

const state = (node: Node) => `${node.directory}/state`;

for (const challenge of ["http", "tlsAlpn"] as const) {
  labTest(`run() has certificates by ACME, proved by ${challenge}, and keeps them`, NEEDS, async () => {
    const [httpPort, tlsPort] = freePorts(2);
    await using pebble = await Pebble.start({ httpPort: httpPort!, tlsPort: tlsPort!, refusedNonces: 15 });
    await using node = await Node.start(configOf(pebble, { challenge, names: ["shop.test", "api.test"] }));
    const { acme } = await node.until(({ acme }) => acme.names.every(({ state }) => state === "issued"));
    assert(acme.active);
    for (const name of ["shop.test", "api.test"]) {
      const facts = await shown(tlsPort!, name);
      assert(facts.includes("Pebble Intermediate CA") && facts.includes(`DNS:${name}`), facts);
    }
    const directory = `${state(node)}/n1/acme`;
    assertEquals(Deno.statSync(directory).mode! & 0o777, 0o700);
    const files = [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
    assertEquals(files, [
      "_account.json",
      "api.test.json",
      "api.test.pem",
      "shop.test.json",
      "shop.test.pem",
    ]);
    for (const name of files) assertEquals(Deno.statSync(`${directory}/${name}`).mode! & 0o777, 0o600, name);

    // Neither a reload nor a new balancer asks again.
    const before = await shown(tlsPort!, "shop.test");
    await node.reload(configOf(pebble, { challenge, names: ["shop.test", "api.test", "new.test"] }));
    await node.until(({ acme }) =>
      acme.names.length === 3 && acme.names.every(({ state }) => state === "issued")
    );
    Deno.kill(await node.balancerPid(), "SIGKILL");
    await node.until(({ acme }) => acme.active && acme.names.length === 3);
    assertEquals(await shown(tlsPort!, "shop.test"), before);
    assertEquals(pebble.issued, 3);
  });
}

labTest("run() has a new certificate in time, and shows it without a reload", NEEDS, async () => {
  const [httpPort, tlsPort] = freePorts(2);
  await using pebble = await Pebble.start({ httpPort: httpPort!, tlsPort: tlsPort!, lifeSeconds: 6 });
  await using node = await Node.start(configOf(pebble));
  await node.until(({ acme }) => acme.names[0]!.state === "issued");
  const before = await shown(tlsPort!, "shop.test");
  await node.until(({ listeners }) => listeners[1]!.certificates[0]!.selfSigned === false);
  await eventually(async () => {
    const now = await shown(tlsPort!, "shop.test");
    return now.includes("Pebble") && now !== before;
  }, () => node.program.text);
});

labTest("run() serves with a certificate of its own while no authority can be asked", NEEDS, async () => {
  const [httpPort, tlsPort] = freePorts(2);
  await using pebble = await Pebble.start({ httpPort: httpPort!, tlsPort: tlsPort! });
  await pebble.stop();
  // Nobody can write there; nor is that a reason not to serve.
  const nowhere = configOf(pebble).replace("acme: {", "acme: { state: /etc/passwd/state,");
  await using node = await Node.start(nowhere);
  const unkept = await node.until(({ acme }) => acme.names[0]?.state === "failing");
  assert(unkept.acme.names[0]!.lastError.includes("Cannot store"), unkept.acme.names[0]!.lastError);
  await node.reload(configOf(pebble));
  const { acme, listeners } = await node.until(({ acme }) =>
    acme.names[0]?.lastError.includes("cannot be asked") === true
  );
  const [name] = acme.names;
  assert(name!.nextAt > Date.now(), "it waits before it tries again");
  assertEquals(listeners[1]!.certificates.map(({ selfSigned }) => selfSigned), [true]);
  const facts = await shown(tlsPort!, "shop.test");
  assert(facts.includes("issuer=CN = shop.test") && facts.includes("DNS:shop.test"), facts);
  const metrics = await node.metrics();
  const failures = metrics.get("tandem_acme_failures")!;
  assertEquals([...failures.samples.values()], [1]);

  // A balancer that is started anew does not try at once either.
  pebble.run();
  Deno.kill(await node.balancerPid(), "SIGKILL");
  const again = await node.until(({ acme }) => acme.active && acme.names[0]?.state === "failing");
  assertEquals(again.acme.names[0]!.nextAt, name!.nextAt);
});

labTest(
  "run() makes its account anew, with the same key, where the authority has forgotten it",
  NEEDS,
  async () => {
    const [httpPort, tlsPort] = freePorts(2);
    await using pebble = await Pebble.start({ httpPort: httpPort!, tlsPort: tlsPort! });
    await using node = await Node.start(configOf(pebble));
    await node.until(({ acme }) => acme.names[0]?.state === "issued");
    const account = () => JSON.parse(Deno.readTextFileSync(`${state(node)}/n1/acme/_account.json`));
    const before = account();
    await pebble.restart();
    await node.reload(configOf(pebble, { names: ["shop.test", "api.test"] }));
    await node.until(({ acme }) =>
      acme.names.length === 2 && acme.names.every(({ state }) => state === "issued")
    );
    assert(node.program.text.includes("does not know the account any more"), node.program.text);
    assertEquals(account().key, before.key);
    assertNotEquals(account().url, before.url);
    assertEquals(pebble.issued, 2);
  },
);

labTest("run() has a certificate renewed and forgotten where an operator wants it", NEEDS, async () => {
  const [httpPort, tlsPort] = freePorts(2);
  await using pebble = await Pebble.start({ httpPort: httpPort!, tlsPort: tlsPort! });
  await using node = await Node.start(configOf(pebble));
  await node.until(({ acme }) => acme.names[0]?.state === "issued");
  const file = `${state(node)}/n1/acme/shop.test.pem`;
  const before = Deno.readTextFileSync(file);
  const { code, said } = await node.command("certificates", "renew", "Shop.test");
  assertEquals([code, said], [0, "another certificate for Shop.test is asked for\n"]);
  await node.until(({ acme }) => acme.names[0]!.state === "issued" && Deno.readTextFileSync(file) !== before);
  const listed = await node.command("certificates");
  assert(
    /^shop\.test +issued +in \S+ +in \S+ +web +CN=Pebble Intermediate CA/m.test(listed.said),
    listed.said,
  );

  // What is forgotten is not shown any more, though nobody gives another.
  await pebble.stop();
  const forgotten = await node.command("certificates", "forget", "shop.test");
  assertEquals(forgotten.code, 0, forgotten.said);
  assertEquals(Deno.readTextFileSync(file), "");
  await node.until(({ listeners }) => listeners[1]!.certificates[0]!.selfSigned);
  const facts = await shown(tlsPort!, "shop.test");
  assert(facts.includes("issuer=CN = shop.test"), facts);
  assert(node.program.text.includes("forget the certificate for shop.test: done"), node.program.text);
  const unknown = await node.command("certificates", "renew", "api.test");
  assertEquals([unknown.code, unknown.said.includes("does not want one")], [1, true], unknown.said);
});

labTest(
  "run() tells why an authority does not see the proof, and what an account must be",
  NEEDS,
  async () => {
    const [httpPort, tlsPort, nobody] = freePorts(3);
    const external = {
      id: "kid-1",
      secret: "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W",
    };
    await using pebble = await Pebble.start({ httpPort: nobody!, tlsPort: tlsPort!, external });
    const config = configOf(pebble).replaceAll(String(nobody), String(httpPort));
    await using node = await Node.start(config);
    const refused = await node.until(({ acme }) => acme.names[0]?.state === "failing");
    assert(
      refused.acme.names[0]!.lastError.includes("externalAccountRequired"),
      refused.acme.names[0]!.lastError,
    );
    await node.reload(
      config.replace(
        "agreeTerms: true",
        `agreeTerms: true, externalAccount: { id: ${external.id}, secret: ${external.secret} }`,
      )
        .replace("[shop.test]", "[api.test]"),
    );
    const unseen = await node.until(({ acme }) =>
      acme.names[0]?.name === "api.test" && acme.names[0].state === "failing"
    );
    const { lastError } = unseen.acme.names[0]!;
    assert(lastError.includes("http-01") && lastError.includes("connection"), lastError);
  },
);
