/** resolv.conf and the hosts file, as resolv.conf(5) and hosts(5) have them. */
import fc from "fast-check";
import { assert, assertEquals } from "../assert.ts";
import { hostsAddresses } from "../../mod/discovery/hosts_file.ts";
import { candidates, parseResolvConf } from "../../mod/discovery/resolv_conf.ts";

Deno.test("parseResolvConf() nameservers, search and options as glibc reads them", () => {
  const text = `# comment
; another
nameserver 10.0.0.2
nameserver   FD00:0::53
nameserver not-an-address
domain old.test
search a.test B.Test.
options ndots:2 timeout:3 rotate
options attempts:1
`;
  assertEquals(parseResolvConf(text), {
    nameservers: ["10.0.0.2", "fd00::53"],
    search: ["a.test", "b.test"],
    ndots: 2,
    timeoutMs: 3000,
    attempts: 1,
  });
});

Deno.test("parseResolvConf() an empty file means a nameserver on this machine", () => {
  assertEquals(parseResolvConf(""), {
    nameservers: ["127.0.0.1"],
    search: [],
    ndots: 1,
    timeoutMs: 2000,
    attempts: 2,
  });
});

Deno.test("parseResolvConf() bounds what makes lookups long", () => {
  const many = Array.from({ length: 9 }, (_, at) => `nameserver 10.0.0.${at}`).join("\n");
  const conf = parseResolvConf(`${many}\nsearch a b c d e f g h\noptions ndots:99 timeout:999 attempts:0`);
  assertEquals(
    [conf.nameservers.length, conf.search.length, conf.ndots, conf.timeoutMs, conf.attempts],
    [3, 6, 15, 30_000, 1],
  );
});

Deno.test("parseResolvConf() anything gives a configuration to ask with", () => {
  const word = fc.constantFrom("nameserver", "search", "options", "ndots:", "\n", " ", "10.0.0.1", "#", "::");
  fc.assert(fc.property(fc.oneof(fc.string(), fc.array(word).map((words) => words.join(" "))), (text) => {
    const { nameservers, timeoutMs, attempts } = parseResolvConf(text);
    assert(nameservers.length >= 1 && timeoutMs >= 1000 && attempts >= 1);
  }));
});

Deno.test("candidates() few dots try the search domains first, a final dot none", () => {
  const conf = parseResolvConf("search x.test y.test\noptions ndots:2");
  assertEquals(candidates("App", conf), ["app.x.test", "app.y.test", "app"]);
  assertEquals(candidates("a.b.c", conf), ["a.b.c", "a.b.c.x.test", "a.b.c.y.test"]);
  assertEquals(candidates("a.", conf), ["a"]);
});

const HOSTS = `127.0.0.1\tlocalhost
::1 localhost ip6-localhost # loopback
10.0.0.5 db.internal DB # the database
10.0.0.6 db
#10.0.0.7 db
fe80::1%eth0 db
nonsense db
FD00::0:5 db
`;

Deno.test("hostsAddresses() every line with the name counts, in any case, once", () => {
  assertEquals(hostsAddresses(HOSTS, "Db"), ["10.0.0.5", "10.0.0.6", "fd00::5"]);
  assertEquals(hostsAddresses(HOSTS, "db.internal."), ["10.0.0.5"]);
  assertEquals(hostsAddresses(HOSTS, "10.0.0.5"), []);
  assertEquals(hostsAddresses(HOSTS, "loopback"), []);
});

Deno.test("hostsAddresses() RFC 6761 section 6.3: localhost is this machine even without the file", () => {
  assertEquals(hostsAddresses(HOSTS, "localhost"), ["127.0.0.1", "::1"]);
  assertEquals(hostsAddresses("10.0.0.1 localhost", "localhost"), ["10.0.0.1"]);
  assertEquals(hostsAddresses("", "app.localhost"), ["127.0.0.1", "::1"]);
  assertEquals(hostsAddresses("", "notlocalhost"), []);
});
