/** What an authority that looks at a name is told (RFC 8555 section 8.3), and nobody else. */
import type { RouteSnapshot } from "../../mod/config/snapshot.ts";
import { assertEquals } from "../assert.ts";
import { simulate } from "../sim/world.ts";

const PREFIX = "/.well-known/acme-challenge/";
const PROOFS: RouteSnapshot = {
  match: { hosts: ["a.test"], path: `${PREFIX}:token`, methods: [], headers: [], query: [] },
  action: { kind: "acme", thumbprint: "thumb" },
};
const REST: RouteSnapshot = {
  match: { hosts: [], methods: [], headers: [], query: [] },
  action: { kind: "https", port: 443 },
};

Deno.test("routeAnswer() shows an authority the token with the account, and takes nothing else for a token", () => {
  simulate({ routes: [PROOFS, REST] }, (world) => {
    const client = world.connect();
    const paths = ["abc-_1", "a".repeat(256), "<script>", "a%41", "a.b", "a".repeat(257), "a/b", ""];
    for (const token of paths) client.get(PREFIX + token);
    world.run(1000);
    const [good, long, ...others] = client.answers;
    assertEquals([good!.body, good!.headers.get("content-type")], [
      "abc-_1.thumb",
      "application/octet-stream",
    ]);
    assertEquals(long!.body, `${"a".repeat(256)}.thumb`);
    assertEquals(others.map(({ line }) => Number(line.split(" ")[1])), [404, 404, 404, 404, 308, 308]);
    assertEquals(others.filter(({ body }) => body.includes("thumb")), []);
  });
});

Deno.test("routeAnswer() leaves names that are not had by ACME to the routes behind", () => {
  const elsewhere = { ...PROOFS, match: { ...PROOFS.match, hosts: ["b.test"] } };
  simulate({ routes: [elsewhere, REST] }, (world) => {
    const client = world.connect().get(`${PREFIX}abc`);
    world.run(1000);
    assertEquals(client.statuses, [308]);
  });
});
