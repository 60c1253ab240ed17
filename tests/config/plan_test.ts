import { planChanges } from "../../mod/config/plan.ts";
import { assertEquals } from "../assert.ts";
import { good } from "./reading.ts";

const BEFORE = `listeners:
  - { name: web, bind: ["0.0.0.0:80", "0.0.0.0:81"], pool: app }
  - { name: old, bind: ":82", pool: app }
pools:
  app: { sticky: { cookie: S }, servers: ["10.0.0.1:80", { name: b, address: "10.0.0.2:80" }] }
  gone: { servers: ["10.0.0.3:80"] }
vrrp:
  instances:
    - { name: edge, interface: eth0, routerId: 1, addresses: [192.0.2.1, 192.0.2.2], priority: 100 }
workers: 1`;
const AFTER = `listeners:
  - { name: web, bind: ["0.0.0.0:81", "0.0.0.0:8080"], pool: app, timeouts: { head: 5s } }
  - { name: new, bind: ":83", pool: app }
pools:
  app: { balance: random, servers: [{ name: b, address: "10.0.0.5:80", weight: 3 }, "10.0.0.4:80"] }
  more: { servers: ["10.0.0.3:80"] }
vrrp:
  startupDelay: 5s
  instances:
    - { name: edge, interface: eth0, routerId: 1, addresses: [192.0.2.1, 192.0.2.9], priority: 100 }
workers: 2`;

async function planned(before: string, after: string): Promise<string[]> {
  const changes = planChanges(await good(before), await good(after), { node: "lb1", instances: [] });
  return changes.map(({ what, name, change, fields, effect }) =>
    `${change} ${what} ${name} ${fields}: ${effect}`
  );
}

Deno.test("planChanges() tells what is added, removed and changed, and what of it others notice", async () => {
  assertEquals(await planned(BEFORE, AFTER), [
    "added listener new : listens on [::]:83",
    "removed listener old : listens on [::]:82 no more; its connections end after the request under way",
    "changed listener web bind,timeouts: listens on 0.0.0.0:8080; listens on 0.0.0.0:80 no more",
    "added pool more : ",
    "removed pool gone : ",
    "changed pool app balance,sticky: ",
    "added server app/10.0.0.4:80 : ",
    "removed server app/10.0.0.1:80 : what is under way on it is finished",
    "changed server app/b weight,address: ",
    "changed instance edge addresses: 192.0.2.9 appears where the instance is active; 192.0.2.2 goes, and connections " +
    "to it end, where the instance is active",
    "changed setting workers : with the next start only",
    "changed setting startupDelay : ",
  ]);
  assertEquals(await planned(BEFORE, BEFORE), []);
});
