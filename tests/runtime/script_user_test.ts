import { parseAccounts } from "../../mod/base/accounts.ts";
import { scriptUser } from "../../mod/runtime/script_user.ts";
import { assertEquals, assertStringIncludes } from "../assert.ts";

const PASSWD = "root:x:0:0::/:\nweb:x:33:34::/:\n";
const WITHOUT = parseAccounts(PASSWD, "root:x:0:\nadm:x:4:\n");
const WITH = parseAccounts(`${PASSWD}tandem_script:x:900:901::/:\n`, "");

Deno.test("scriptUser() root gives its rights away to the user that is named, else to the usual one if there is one", () => {
  assertEquals(scriptUser("web", 0, WITH), { account: { uid: 33, gid: 34 }, warning: "" });
  assertEquals(scriptUser("web:adm", 0, WITHOUT), { account: { uid: 33, gid: 4 }, warning: "" });
  assertEquals(scriptUser(undefined, 0, WITH), { account: { uid: 900, gid: 901 }, warning: "" });
});

Deno.test("scriptUser() programs are root's only when that is said, else with a warning", () => {
  assertEquals(scriptUser("root", 0, WITH), { account: null, warning: "" });
  // A group of its own takes the others away.
  assertEquals(scriptUser("root:adm", 0, WITHOUT), { account: { uid: 0, gid: 4 }, warning: "" });
  const { account, warning } = scriptUser(undefined, 0, WITHOUT);
  assertEquals(account, null);
  assertStringIncludes(warning, "run as root: add a user tandem_script, or say vrrp.scriptUser: root");
});

Deno.test("scriptUser() who is not root cannot become anybody else, and says so", () => {
  assertEquals(scriptUser(undefined, 33, WITHOUT), { account: null, warning: "" });
  assertEquals(scriptUser("web", 33, WITHOUT), { account: null, warning: "" });
  const { account, warning } = scriptUser("root", 33, WITHOUT);
  assertEquals(account, null);
  assertStringIncludes(warning, "programs run as uid 33");
});
