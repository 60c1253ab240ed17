import { MIGRATE_REQUESTS, readSysctl, Sysctls } from "../../mod/runtime/sysctl_io.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";

/** Tries with the value that is there, so that the test machine is left as it was. */
function mayWrite(): boolean {
  try {
    return Deno.uid() === 0 && ["0", "1"].includes(readSysctl(MIGRATE_REQUESTS));
  } catch {
    return false;
  }
}

Deno.test({
  name: "Sysctls() sets a value once and puts the first one back (root, Linux 5.14)",
  ignore: !mayWrite(),
  fn() {
    const before = readSysctl(MIGRATE_REQUESTS);
    const other = before === "0" ? "1" : "0";
    const sysctls = new Sysctls();
    const problem = sysctls.set(MIGRATE_REQUESTS, other);
    // In a container `/proc/sys` may be read-only even for root: then it must be said.
    if (problem !== null) return assertStringIncludes(problem, "Cannot set");
    assertEquals(readSysctl(MIGRATE_REQUESTS), other);
    assertEquals(sysctls.set(MIGRATE_REQUESTS, before), null);
    assertEquals(sysctls.set(MIGRATE_REQUESTS, other), null);
    assertEquals(sysctls.restore(), []);
    assertEquals(readSysctl(MIGRATE_REQUESTS), before);
    assertEquals(sysctls.restore(), []);
  },
});

Deno.test("Sysctls() leaves what is right alone and has nothing to put back", () => {
  const sysctls = new Sysctls();
  const value = readSysctl("net.ipv4.ip_forward");
  assertEquals(sysctls.set("net.ipv4.ip_forward", value), null);
  assertEquals(sysctls.restore(), []);
});

Deno.test("Sysctls() says what is missing and does not throw", () => {
  const problem = new Sysctls().set("net.ipv4.no_such_setting", "1");
  assert(problem !== null);
  assertStringIncludes(problem, "Cannot set net.ipv4.no_such_setting=1: no such file");
});

Deno.test("Sysctls() answers for what another keeper has changed, and no more for what it has given away", () => {
  const [giver, taker] = [new Sysctls(), new Sysctls()];
  giver.adopt({ "net.ipv4.ip_forward": "7" });
  taker.adopt(giver.changed);
  giver.forget();
  assertEquals([giver.changed, giver.restore()], [{}, []]);
  assertEquals(taker.changed, { "net.ipv4.ip_forward": "7" });
});

Deno.test({
  name: "Sysctls() what is gone with its interface is not put back, and no problem (root, ip)",
  ignore: !mayWrite(),
  async fn() {
    const device = `tst${Deno.pid}`.slice(0, 15);
    const ip = (...args: string[]) => new Deno.Command("ip", { args, stderr: "null" }).output();
    if (!(await ip("link", "add", device, "type", "veth")).success) return;
    const sysctls = new Sysctls();
    const problem = sysctls.set(`net.ipv4.conf.${device}.arp_ignore`, "1");
    await ip("link", "del", device);
    if (problem === null) assertEquals(sysctls.restore(), []);
  },
});
