import { electionTable, type KeeperView } from "../../mod/cli/election_table.ts";
import { showKeeper } from "../../mod/cli/status_io.ts";
import { electionMetrics } from "../../mod/observe/election_status.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { parseExposition } from "../observe/parse_exposition.ts";
import { VRRP } from "../observe/sample_election.ts";

const KEEPER: KeeperView = {
  node: "lb2",
  adminUrl: null,
  balancer: { state: "waiting", restarts: 3, lastDeath: "exit 1" },
  refused: null,
  drift: [],
  vrrp: VRRP,
  kernel: { problem: null, services: [], fragments: 0 },
};

Deno.test("electionTable() shows both nodes, who holds what, since when and why, even without a balancer", () => {
  const text = electionTable(KEEPER, 145_000);
  assertStringIncludes(text, "node lb2: balancer waiting, restarted 3 times, the last one ended: exit 1\n");
  assertStringIncludes(text, "vrrp edge: 203.0.113.10/24 on eth0, id 51, owner lb1\n");
  const lines = text.split("\n");
  assert(
    lines.some((line) =>
      /^ {2}lb2 +203\.0\.113\.1 +backup +150 +50 +45s +lb1 .*pool app: 0 healthy/.test(line)
    ),
  );
  assert(
    lines.some((line) =>
      /^ {2}lb1 +203\.0\.113\.2 +active\? .*1m5s .*not heard for 9s; has another/.test(line)
    ),
  );
  assertStringIncludes(
    text,
    "  also active: 203.0.113.9 (MAC 02:42:ac:11:00:09), priority 255, 12 adverts, the last 2s ago: " +
      "it is not signed\n",
  );
  assertStringIncludes(text, "dropped: 4 signature");
  assertEquals(text.includes("\u001b"), false);
});

Deno.test("electionTable() says that the last reload was refused, and why", () => {
  const refused = { at: 100_000, problems: ["tandem.yaml:2:3: pool: names no pool\n  pool: ap", "another"] };
  const text = electionTable({ ...KEEPER, refused }, 145_000);
  const line = "the reload 45s ago was refused: tandem.yaml:2:3: pool: names no pool (and 1 more)\n";
  assertStringIncludes(text, line);
  assertEquals(electionTable(KEEPER, 145_000).includes("refused"), false);
});

Deno.test("showKeeper() as JSON is the keeper's own words", () => {
  let out = "";
  assertEquals(showKeeper(KEEPER, { json: true, columns: null, out: (text) => out += text }), 0);
  assertEquals(JSON.parse(out), { keeper: KEEPER });
});

Deno.test("electionMetrics() has every number by instance", () => {
  const families = parseExposition(electionMetrics(VRRP));
  const value = (name: string) => [...families.get(`tandem_vrrp_${name}`)?.samples.values() ?? []][0];
  assertEquals(
    [
      "active",
      "health",
      "priority",
      "conflicts_total",
      "adverts_sent_total",
      "dropped_total",
      "foreign_adverts_total",
    ].map(value),
    [0, 50, 150, 2, 1, 4, 12],
  );
  assertEquals([value("timer_lag_seconds"), value("peer_silent_seconds")], [0.0015, 9]);
});
