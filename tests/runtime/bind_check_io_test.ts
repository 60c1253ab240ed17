import { checkBinds, newBinds } from "../../mod/runtime/bind_check_io.ts";
import { assertEquals } from "../assert.ts";

function portOf(listener: Deno.Listener): number {
  return (listener.addr as Deno.NetAddr).port;
}

Deno.test("checkBinds() finds an address that another listens on, even one that shares its port", async () => {
  for (const reusePort of [false, true]) {
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0, reusePort });
    const port = portOf(taken);
    assertEquals(await checkBinds([{ purpose: "the listener `web`", host: "127.0.0.1", port }], 0), [
      `Cannot listen on 127.0.0.1:${port} for the listener \`web\`: another process listens there`,
    ]);
  }
});

Deno.test("checkBinds() waits for an address that becomes free", async () => {
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = portOf(taken);
  const checked = checkBinds([{ purpose: "the listener `web`", host: "127.0.0.1", port }]);
  taken.close();
  assertEquals(await checked, []);
});

Deno.test("checkBinds() leaves a free address free", async () => {
  const one = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = portOf(one);
  one.close();
  const bind = { purpose: "the listener `web`", host: "127.0.0.1", port };
  assertEquals(await checkBinds([bind]), []);
  assertEquals(await checkBinds([bind]), []);
});

Deno.test("checkBinds() tells an address that no interface has", async () => {
  assertEquals(await checkBinds([{ purpose: "the listener `v6`", host: "2001:db8::1", port: 8080 }]), [
    "Cannot listen on [2001:db8::1]:8080 for the listener `v6`: no interface has this address",
  ]);
});

Deno.test("newBinds() leaves out every port that is ours already, whatever its address", () => {
  const bind = (host: string, port: number) => ({ purpose: "a", host, port });
  assertEquals(newBinds([bind("::", 80), bind("10.0.0.1", 81)], [bind("127.0.0.1", 80)]), [
    bind("10.0.0.1", 81),
  ]);
});
