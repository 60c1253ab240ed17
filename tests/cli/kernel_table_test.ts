import { kernelTable } from "../../mod/cli/kernel_table.ts";
import { kernelMetrics } from "../../mod/observe/kernel_status.ts";
import { assertEquals } from "../assert.ts";
import { parseExposition } from "../observe/parse_exposition.ts";
import { KERNEL } from "../observe/sample_kernel.ts";

Deno.test("kernelTable() what the kernel forwards, and why it does not", () => {
  assertEquals(
    kernelTable(KERNEL),
    `
the kernel's rules are not in force: nft is not installed

listener web (tcp, nat) on 203.0.113.10:80: pool app, roundRobin
  server  address         state  share  connections  bytes in  bytes out
  a       10.0.0.11:8080  open     67%           12       940      12.5k
  b       10.0.0.12:8080  down      0%            0         0       3.0G
`,
  );
  assertEquals(kernelTable({ problem: null, services: [], fragments: 0 }), "");
});

Deno.test("kernelMetrics() the same for a machine; nothing where the kernel forwards nothing", () => {
  const families = parseExposition(kernelMetrics(KERNEL));
  const value = (name: string, server: string) =>
    families.get(name)?.samples.get(
      server === "" ? name : `${name}{listener="web",pool="app",server="${server}"}`,
    );
  assertEquals(value("tandem_kernel_rules_in_force", ""), 0);
  assertEquals(value("tandem_kernel_connections_total", "a"), 12);
  assertEquals(value("tandem_kernel_bytes_out_total", "b"), 3 * 2 ** 30);
  assertEquals(kernelMetrics({ problem: null, services: [], fragments: 0 }), "");
});
