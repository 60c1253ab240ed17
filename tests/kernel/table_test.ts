import { objectName } from "../../mod/kernel/names.ts";
import { objectsOf, removeTable, staleText, type Table, tableText } from "../../mod/kernel/table.ts";
import { assert, assertEquals, assertNotEquals } from "../assert.ts";

const TABLE: Table = {
  family: "inet",
  name: "tandem_lb1",
  counters: ["new/a"],
  sets: [{ name: "by9.5/a", family: 4, seconds: 9, entries: 5, flush: true }],
  chains: [
    { name: "to/a", rules: ["counter name new/a"] },
    { name: "in", hook: "type nat hook prerouting priority dstnat;", rules: ["goto to/a"] },
  ],
};

Deno.test("tableText() flushes the rules, keeps counters and sets, and forgets what is to be forgotten", () => {
  assertEquals(
    tableText(TABLE),
    `add table inet tandem_lb1
flush table inet tandem_lb1
table inet tandem_lb1 {
  counter new/a {
  }
  set by9.5/a {
    type ipv4_addr
    flags dynamic,timeout
    timeout 9s
    size 5
  }
  chain to/a {
    counter name new/a
  }
  chain in {
    type nat hook prerouting priority dstnat;
    goto to/a
  }
}
flush set inet tandem_lb1 by9.5/a
`,
  );
});

Deno.test("staleText() deletes what has no place any more, chains before the sets and counters they name", () => {
  const before = { chains: ["to/b", "in"], sets: ["by9.5/b"], counters: ["new/a", "new/b"] };
  assertEquals(
    staleText(TABLE, before),
    "delete chain inet tandem_lb1 to/b\ndelete set inet tandem_lb1 by9.5/b\ndelete counter inet tandem_lb1 new/b\n",
  );
  assertEquals(staleText(TABLE, objectsOf(TABLE)), "");
});

Deno.test("removeTable() is good whether the table is there or not", () => {
  assertEquals(removeTable(TABLE), "add table inet tandem_lb1\ndelete table inet tandem_lb1\n");
});

Deno.test("objectName() is a word for nft, whatever the names, and another for other names", () => {
  const names = [
    "ip",
    "a_b",
    "a:b",
    "a",
    "[fd00::1]:80",
    "x".repeat(100),
    `${"_".repeat(99)}a`,
    `${"_".repeat(99)}b`,
  ];
  for (const one of names) {
    const name = objectName("to", "web", one);
    assert(/^[a-z][A-Za-z0-9/._-]*$/.test(name) && name.length <= 255, name);
    for (const other of names) if (one !== other) assertNotEquals(name, objectName("to", "web", other));
  }
});
