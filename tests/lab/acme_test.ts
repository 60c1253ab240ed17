/** Certificates by ACME in a pair: one node has them, both show them, and the other goes on when it is its turn. */
import { assert, assertEquals } from "../assert.ts";
import { tandem } from "../cli/tandem.ts";
import { Pebble } from "../scenarios/pebble.ts";
import { LAB_NEEDS } from "./netns.ts";
import { type NodeName, Pair, pause, VIP } from "./pair.ts";
import { labTest } from "./tools.ts";

const POLL_MS = 50;

/** Adds a listener with these names to the file of the pair, and has nodes read it. */
async function serve(pair: Pair, pebble: Pebble, names: string, nodes: readonly NodeName[]): Promise<void> {
  pair.write();
  const file = `${pair.directory}/tandem.yaml`;
  const plain = 'listeners: [{ name: web, bind: ":80", pool: app }]';
  const secure = `acme: { agreeTerms: true, directory: "${pebble.directory}", ca: "${pebble.ca}", ` +
    `state: "${pair.directory}/state" }
listeners:
  - { name: web, bind: ":80", pool: app }
  - { name: secure, bind: ":443", tls: { acme: [${names}] }, pool: app }`;
  Deno.writeTextFileSync(file, Deno.readTextFileSync(file).replace(plain, secure));
  for (const node of nodes) await pair.reload(node);
}

/** A stored file of a node, once it is there and `wanted`. */
async function stored(
  pair: Pair,
  node: NodeName,
  name: string,
  wanted: (text: string) => boolean = () => true,
): Promise<string> {
  for (;;) {
    const text = await Deno.readTextFile(`${pair.directory}/state/${node}/acme/${name}`).catch(() => "");
    if (text !== "" && wanted(text)) return text;
    await pause(POLL_MS);
  }
}

/** Waits until a node has nothing in a file any more. */
async function emptied(pair: Pair, node: NodeName, name: string): Promise<void> {
  while (Deno.statSync(`${pair.directory}/state/${node}/acme/${name}`).size > 0) await pause(POLL_MS);
}

/** The certificate that the address shows for a name, as PEM. */
async function shown(pair: Pair, name: string): Promise<string> {
  const { stdout } = await pair.lab.run(
    "client",
    ...["timeout", "5", "openssl", "s_client", "-connect", `${VIP}:443`, "-servername", name],
  );
  return /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/.exec(stdout)?.[0] ?? "";
}

labTest(
  "acme() one node of a pair has certificates, both keep them, and the other goes on when the first is gone",
  [...LAB_NEEDS, "curl", "openssl", "pebble"],
  async () => {
    await using pair = await Pair.start();
    await using pebble = await Pebble.start({
      ...{ httpPort: 80, tlsPort: 443, address: VIP, host: pair.lab.address("client") },
      through: ["ip", "netns", "exec", pair.lab.namespace("client")],
    });
    await serve(pair, pebble, "shop.test", ["lb1", "lb2"]);
    const had = await stored(pair, "lb1", "shop.test.pem");
    assertEquals(await stored(pair, "lb2", "shop.test.pem"), had);
    assertEquals(
      await stored(pair, "lb2", "_account.json"),
      await stored(pair, "lb1", "_account.json"),
    );
    const mode = (name: string) => Deno.statSync(`${pair.directory}/state/lb2/acme/${name}`).mode! & 0o777;
    assertEquals(["shop.test.pem", "_account.json", ""].map(mode), [0o600, 0o600, 0o700]);

    // Whichever node is asked, it proves that the name is the account's.
    const proof = (node: NodeName) =>
      pair.lab.run(
        "client",
        "curl",
        "-s",
        "-m",
        "5",
        "-H",
        "Host: shop.test",
        `http://${pair.lab.address(node)}/.well-known/acme-challenge/abc`,
      );
    while ((await proof("lb2")).stdout !== (await proof("lb1")).stdout) await pause(POLL_MS);
    assert((await proof("lb2")).stdout.startsWith("abc."));

    pair.signal("lb1", "SIGKILL");
    await pair.until("lb2", ({ state }) => state === "active");
    while (!had.startsWith(await shown(pair, "shop.test") || "nothing")) await pause(POLL_MS);
    assertEquals(pebble.issued, 1, "nobody asked twice");

    await serve(pair, pebble, "shop.test, api.test", ["lb2"]);
    const next = await stored(pair, "lb2", "api.test.pem");
    pair.run("lb1");
    assertEquals(await stored(pair, "lb1", "api.test.pem"), next);
    assertEquals(pebble.issued, 2);

    // What one node forgets the other does not give back.
    await serve(pair, pebble, "shop.test", ["lb1", "lb2"]);
    const order = async (node: NodeName, ...words: readonly string[]) => {
      const { code, err } = await tandem([
        "certificates",
        ...words,
        "--socket",
        `${pair.directory}/${node}.sock`,
      ]);
      assertEquals(code, 0, err);
    };
    await order("lb1", "forget", "api.test");
    for (const node of ["lb2", "lb1"] as const) await emptied(pair, node, "api.test.pem");

    // Whichever is told, the one that holds the address asks, and both have what comes of it.
    for (const node of ["lb2", "lb1"] as const) {
      const before = await stored(pair, node, "shop.test.pem");
      await order(node, "renew", "shop.test");
      const renewed = await stored(pair, node, "shop.test.pem", (text) => text !== before);
      for (const other of ["lb1", "lb2"] as const) {
        await stored(pair, other, "shop.test.pem", (text) => text === renewed);
      }
    }
  },
);
