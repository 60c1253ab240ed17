/** Which addresses may come in. */
import { assertEquals } from "../assert.ts";
import { parseIp } from "../../mod/base/address.ts";
import { Access, allowsAll } from "../../mod/guard/access.ts";

function allowed(allow: readonly string[], deny: readonly string[], ...addresses: string[]): boolean[] {
  const access = new Access({ allow, deny });
  return addresses.map((address) => access.allows(parseIp(address)));
}

Deno.test("allows() with allow alone everybody else is denied, with deny alone everybody else is allowed", () => {
  const addresses = ["10.1.2.3", "11.0.0.1", "::ffff:10.1.2.3", "2001:db8::1"];
  assertEquals(allowed(["10.0.0.0/8"], [], ...addresses), [true, false, true, false]);
  assertEquals(allowed([], ["10.0.0.0/8"], ...addresses), [false, true, false, true]);
});

Deno.test("allows() the narrowest block decides, whichever list and place it stands in", () => {
  const deny = ["10.1.0.0/16", "10.0.0.0/8", "2001:db8::/32"];
  const allow = ["0.0.0.0/0", "10.1.2.0/23", "10.1.0.0/17", "2001:db8:0:1::/64"];
  assertEquals(allowed(allow, deny, "10.1.3.9", "10.1.127.1", "10.1.128.1", "10.2.0.1", "9.9.9.9"), [
    true,
    true,
    false,
    false,
    true,
  ]);
  assertEquals(allowed(allow, deny, "2001:db8::1", "2001:db8:0:1::9", "2001:db9::"), [false, true, false]);
});

Deno.test("allows() one address in both lists is denied, and an address that cannot be read is in none", () => {
  assertEquals(allowed(["10.0.0.1/32"], ["10.0.0.1/32"], "10.0.0.1"), [false]);
  assertEquals(new Access({ allow: ["0.0.0.0/0"], deny: [] }).allows(null), false);
  assertEquals(new Access({ allow: [], deny: ["0.0.0.0/0"] }).allows(null), true);
});

Deno.test("allows() says of every address and every prefix what a plain search says", () => {
  let seed = 7;
  const random = (below: number) => (seed = Math.imul(seed, 1664525) + 1013904223 >>> 0) % below;
  const block = () => {
    const prefix = random(9);
    const mask = prefix === 0 ? 0 : 0xff00 >> prefix & 0xff;
    return { text: `10.0.0.${random(256) & mask}/${24 + prefix}`, prefix };
  };
  for (let round = 0; round < 200; round++) {
    const [allow, deny] = [0, 1].map(() => Array.from({ length: random(4) }, () => block().text)) as [
      string[],
      string[],
    ];
    const address = random(256);
    const within = (text: string) => {
      const [base, prefix] = text.split("/") as [string, string];
      const bits = 32 - Number(prefix);
      return Number(base.split(".")[3]) >> bits === address >> bits ? Number(prefix) : -1;
    };
    const best = (texts: string[]) => Math.max(-1, ...texts.map(within));
    const [good, bad] = [best(allow), best(deny)];
    const expected = good < 0 && bad < 0 ? allow.length === 0 : good > bad;
    assertEquals(allowed(allow, deny, `10.0.0.${address}`), [expected], `${allow} ${deny} ${address}`);
  }
});

Deno.test("allowsAll() a client has to be allowed by all", () => {
  const all = [
    new Access({ allow: ["10.0.0.0/8"], deny: [] }),
    new Access({ allow: [], deny: ["10.9.0.0/16"] }),
  ];
  assertEquals(["10.1.0.1", "10.9.0.1", "1.1.1.1"].map((address) => allowsAll(all, address)), [
    true,
    false,
    false,
  ]);
  assertEquals(allowsAll(null, "1.1.1.1"), true);
});
