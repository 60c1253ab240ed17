import { LinkTable } from "../../vrrp/links.ts";
import type { Link } from "../../vrrp/netlink.ts";
import { assertEquals } from "../assert.ts";

const ETH0: Link = {
  index: 2,
  name: "eth0",
  up: true,
  running: true,
  mac: new Uint8Array([2, 0, 0, 0, 0, 1]),
};
const told = (link: Link, gone = false) => ({ kind: "link", gone, link }) as const;
const brief = (changes: ReturnType<LinkTable["take"]>) =>
  changes.map(({ name, running }) => `${name} ${running}`);

Deno.test("take() tells a change once, however often the kernel says it", () => {
  const table = new LinkTable();
  assertEquals(brief(table.take(told(ETH0))), ["eth0 true"]);
  assertEquals(brief(table.take(told({ ...ETH0, mac: ETH0.mac!.slice() }))), []);
  assertEquals(brief(table.take(told({ ...ETH0, running: false }))), ["eth0 false"]);
  assertEquals(brief(table.take(told({ ...ETH0, running: false, up: false }))), ["eth0 false"]);
  assertEquals(brief(table.take(told(ETH0))), ["eth0 true"]);
  assertEquals(table.take(told({ ...ETH0, mac: new Uint8Array(6) }))[0]?.link?.mac, new Uint8Array(6));
});

Deno.test("take() an interface that is gone or renamed is down under its old name", () => {
  const table = new LinkTable();
  table.take(told(ETH0));
  assertEquals(brief(table.take(told({ ...ETH0, name: "wan" }))), ["eth0 false", "wan true"]);
  assertEquals([table.find("eth0"), table.find("wan")?.index], [null, 2]);
  assertEquals(table.take(told({ ...ETH0, name: "wan" }, true)), [{
    name: "wan",
    running: false,
    link: null,
  }]);
  assertEquals(table.take(told({ ...ETH0, name: "wan" }, true)), []);
  assertEquals(table.find("wan"), null);
});

Deno.test("take() leaves addresses and ends of requests alone", () => {
  assertEquals(new LinkTable().take({ kind: "done", sequence: 1, errno: 0 }), []);
});

Deno.test("replace() after lost events tells just what is different", () => {
  const table = new LinkTable();
  table.replace([ETH0, { ...ETH0, index: 3, name: "eth1" }, { ...ETH0, index: 4, name: "eth2" }]);
  const changes = table.replace([ETH0, { ...ETH0, index: 3, name: "eth1", running: false }]);
  assertEquals(brief(changes).sort(), ["eth1 false", "eth2 false"]);
});
