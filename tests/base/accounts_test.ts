import { findAccount, parseAccounts } from "../../mod/base/accounts.ts";
import { assertEquals } from "../assert.ts";

const PASSWD = `root:x:0:0:root:/root:/bin/bash
web:x:33:34:,,,:/var/www:/usr/sbin/nologin
web:x:1:1::/:/bin/sh
+nis::::::
# a comment:x:5:5
short:x:7
negative:x:-1:5::/:
huge:x:4294967295:5::/:
last:x:65534:65534::/:/bin/sh`;
const GROUP = "root:x:0:\nadm:x:4:web,root\nbad:x:x:\n";

Deno.test("parseAccounts() takes the lines that are users and groups, and the first of a name", () => {
  const { users, groups } = parseAccounts(PASSWD, GROUP);
  assertEquals([...users], [
    ["root", { uid: 0, gid: 0 }],
    ["web", { uid: 33, gid: 34 }],
    ["last", { uid: 65534, gid: 65534 }],
  ]);
  assertEquals([...groups], [["root", 0], ["adm", 4]]);
  assertEquals(parseAccounts("", ":\n::::\n\n").users.size, 0);
});

Deno.test("findAccount() a user with its own group or with another, and what is unknown of it", () => {
  const accounts = parseAccounts(PASSWD, GROUP);
  assertEquals(findAccount("web", accounts), { uid: 33, gid: 34 });
  assertEquals(findAccount("web:adm", accounts), { uid: 33, gid: 4 });
  assertEquals(findAccount("none:adm", accounts), { unknown: "user", name: "none" });
  assertEquals(findAccount("web:none", accounts), { unknown: "group", name: "none" });
});
