import { DROP_REASONS, DROPS } from "../../vrrp/drops.ts";
import { assertEquals } from "../assert.ts";

Deno.test("DROPS every reason is raised by the code that hears datagrams", () => {
  const names = ["packet", "extension", "report", "freshness", "channel", "udp_io", "ip_header", "judge"];
  const source = names.map((name) => Deno.readTextFileSync(new URL(`../../vrrp/${name}.ts`, import.meta.url)))
    .join();
  const raised = (reason: string) => new RegExp(`(dropped|stale|onDropped)\\([^;]*"${reason}"`).test(source);
  assertEquals(DROP_REASONS.filter((reason) => !raised(reason)), []);
});

Deno.test("docs/vrrp-wire.md shows the reasons as they are", () => {
  const page = Deno.readTextFileSync(new URL("../../docs/vrrp-wire.md", import.meta.url));
  const rows = [...page.matchAll(/^\| `(\w+)` +\| (.*?) +\|$/gm)].map(([, reason, text]) => [reason, text]);
  assertEquals(rows, Object.entries(DROPS));
});
