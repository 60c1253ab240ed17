import { servicesStatus } from "../../mod/runtime/kernel_view.ts";
import { assertEquals } from "../assert.ts";
import { planOf, shares } from "../kernel/golden.ts";

Deno.test("servicesStatus() puts together what is configured, used and counted", async () => {
  const plan = await planOf(`listeners:
  - { name: web, bind: [":80", "203.0.113.10:8000-8009"], protocol: tcp, forward: nat, pool: app }
pools: { app: { servers: ["10.0.0.11:8000", { name: b, address: "10.0.0.12:8000" }, "[fd00::1]:8000"] } }`);
  const counts = new Map([
    ["new/web/b", { packets: 3, bytes: 180 }],
    ["in/web/b", { packets: 30, bytes: 3000 }],
    ["out/web/b", { packets: 20, bytes: 2000 }],
  ]);
  const [service] = servicesStatus(
    plan,
    shares({ "10.0.0.11:8000": 256, b: 768, "![fd00::1]:8000": 0 }),
    counts,
  );
  assertEquals(service?.binds, ["0.0.0.0:80", "[::]:80", "203.0.113.10:8000-8009"]);
  assertEquals(
    service?.servers.map(({ name, address, open, up, share }) => [name, address, open, up, share]),
    [
      ["10.0.0.11:8000", "10.0.0.11", true, true, 0.25],
      ["b", "10.0.0.12", true, true, 0.75],
      ["[fd00::1]:8000", "fd00::1", false, false, 0],
    ],
  );
  const { connections, packetsIn, bytesIn, packetsOut, bytesOut } = service!.servers[1]!;
  assertEquals([connections, packetsIn, bytesIn, packetsOut, bytesOut], [3, 30, 3000, 20, 2000]);
});
