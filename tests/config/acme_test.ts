import { buildSnapshot } from "../../mod/config/build.ts";
import { acmeNames } from "../../mod/config/acme_names.ts";
import { RowAllocator } from "../../mod/config/rows.ts";
import { assertEquals } from "../assert.ts";
import { errors, good, warnings } from "./reading.ts";

const ACME = "acme: { agreeTerms: true }";

/** A listener on each of the ports, with these settings of `tls.acme` and routes. */
function web(
  acme: string,
  { head = ACME, routes = "[{ respond: {} }]", plain = ":80", tail = "" } = {},
): string {
  return [
    head,
    "listeners:",
    ...plain === "" ? [] : [`  - { name: plain, bind: "${plain}", redirectHttps: true }`],
    "  - name: web",
    '    bind: ":443"',
    `    tls: { acme: ${acme} }`,
    `    routes: ${routes}`,
    tail,
  ].join("\n");
}

Deno.test("checkAcme() takes names that are listed, or the exact hosts of the routes", async () => {
  const routes =
    "[{ match: { host: [a.test, B.test] }, respond: {} }, { match: { host: a.test, path: /x }, respond: {} }]";
  for (
    const [text, names] of [[web("[A.test, b.test]"), ["a.test", "b.test"]], [web("true", { routes }), [
      "a.test",
      "b.test",
    ]]] as const
  ) {
    assertEquals(acmeNames(await good(text)), names);
    assertEquals((await warnings(text)).filter((one) => !one.includes("never reached")), []);
  }
});

Deno.test("checkAcme() refuses names that no authority would take so", async () => {
  assertEquals(await errors(web('["*.a.test", 10.0.0.1, "a b", a.test]')), [
    '6:19 «"*.a.test"» listeners[1].tls.acme[0]: cannot be a wildcard: authorities want a DNS-01 challenge for it, which is not offered',
    "6:31 «10.0.0.1» listeners[1].tls.acme[1]: cannot be an IP address: only names are offered",
    '6:41 «"a b"» listeners[1].tls.acme[2]: must be a host name',
  ]);
  const routes = "[{ match: { host: [a.test, '*.a.test'] }, respond: {} }]";
  assertEquals(await errors(web("true", { routes })), [
    "7:31 «[a.test, '*.a.test']» listeners[1].routes[0].match.host: has *.a.test, for which tls.acme has no certificate: *.a.test cannot be a wildcard: authorities want a DNS-01 challenge for it, which is not offered",
  ]);
  assertEquals(await errors(web("true")), [
    "6:18 «true» listeners[1].tls.acme: has no name: no route of the listener has a host, so list the names here",
  ]);
});

Deno.test("checkAcme() wants an authority, its terms agreed to, and a place for the proof", async () => {
  assertEquals(await errors(web("[a.test]", { head: "" })), [
    "6:12 «acme» listeners[1].tls.acme: needs the setting acme of the whole file, which says who issues certificates",
  ]);
  assertEquals(await errors(web("[a.test]", { head: "acme: { agreeTerms: false }" })), [
    "1:21 «false» acme.agreeTerms: must be true: the authority issues nothing otherwise",
  ]);
  assertEquals(await errors(web("[a.test]", { plain: "" })), [
    "1:1 «acme» acme: needs an http listener without tls, where the authority sees the proof",
  ]);
  assertEquals(
    await errors(web("[a.test]", { head: "acme: { agreeTerms: true, directory: 'http://ca.test' }" })),
    [
      "1:38 «'http://ca.test'» acme.directory: must be an address that begins with https://",
    ],
  );
  assertEquals(await errors(web("false")), [
    "6:10 «{ acme: false }» listeners[1].tls: must have certificates, or acme",
  ]);
});

Deno.test("checkAcme() warns of what can hardly be meant", async () => {
  const tlsAlpn = "acme: { agreeTerms: true, challenge: tlsAlpn }";
  assertEquals(await warnings(web("[a.test]", { head: tlsAlpn, plain: "" })), []);
  assertEquals(await warnings(web("[a.test]", { plain: ":8080" })), [
    "1:1 «acme» acme: wants an http listener without tls on port 80, where authorities ask, or something that passes it on",
  ]);
  const routes = "[{ match: { host: [a.test, '*.a.test'] }, respond: {} }]";
  const files = "true, certificates: [{ cert: a.pem, key: a.key }]";
  assertEquals(await warnings(web(files, { routes })), [
    "7:31 «[a.test, '*.a.test']» listeners[1].routes[0].match.host: has no certificate by acme: *.a.test is no exact name",
  ]);
  assertEquals(
    await warnings(`${ACME}\nlisteners: [{ name: web, bind: ":80", routes: [{ respond: {} }] }]`),
    [
      "1:1 «acme» acme: has no effect: no listener has tls.acme",
    ],
  );
  const vrrp =
    "vrrp: { instances: [{ name: edge, interface: eth0, routerId: 1, priority: 100, addresses: [192.0.2.1/24] }] }";
  const pair = await warnings(web("[a.test]", { tail: vrrp }));
  assertEquals(pair.filter((one) => one.includes("acme")), [
    "1:1 «acme» acme: gives each node certificates of its own, which are not shared between the nodes, as no instance of vrrp has keys",
  ]);
});

Deno.test("buildSnapshot() puts proofs before everything else, and only for names that are had", async () => {
  const one = await good(web("[a.test]"));
  const build = (thumbprint: string, proofs: [string, never][], config = one) =>
    buildSnapshot(config, {
      ...{ generation: 1, node: "n1", directory: ".", resolve: () => [] },
      rows: new RowAllocator({ listeners: 4, pools: 4, servers: 4 }),
      acme: { thumbprint, proofs: new Map(proofs) },
    }).listeners;
  const [plain, secure] = build("thumb", [["a.test", { names: ["a.test"] } as never], [
    "b.test",
    {} as never,
  ]]);
  assertEquals(plain!.routes.map(({ match, action }) => [match.hosts, match.path, action.kind]), [
    [["a.test"], "/.well-known/acme-challenge/:token", "acme"],
    [[], undefined, "https"],
  ]);
  assertEquals(secure!.tls!.proofs?.length, 1);
  const other = "  - { name: other, bind: ':8443', tls: { acme: [c.test] }, routes: [{ respond: {} }] }";
  const two = await good(web("[a.test]", { tail: other }));
  const proofs = [["c.test", { names: ["c.test"] } as never]] as [string, never][];
  assertEquals(
    build("thumb", proofs, two).map(({ tls }) => tls?.proofs?.map(({ names }) => names)),
    [undefined, [["c.test"]], [["c.test"]]],
    "the authority asks the listener on port 443",
  );
  const [before, same] = build("", []);
  assertEquals(before!.routes.length, 1, "without an account nobody is answered");
  assertEquals(same!.tls!.proofs, undefined);
});
