import { accessLogFindings } from "../../../mod/cli/doctor/access_log.ts";
import { conntrackdConfig } from "../../../mod/cli/doctor/conntrackd.ts";
import { findingsTable, ok, problem, warning } from "../../../mod/cli/doctor/finding.ts";
import { firewallFindings } from "../../../mod/cli/doctor/firewall.ts";
import { hadFindings } from "../../../mod/cli/doctor/had.ts";
import { writeBarrier } from "../../../mod/cli/doctor/host_io.ts";
import { keepalivedIds } from "../../../mod/cli/doctor/neighbours_io.ts";
import { painter, paintStates } from "../../../mod/cli/paint.ts";
import type { CertificateEntry } from "../../../mod/observe/certificate_list.ts";
import { assert, assertEquals, assertStringIncludes } from "../../assert.ts";

const SPOKEN = { vrrp: true, udp: true, tcp: true };

/** A chain as `nft -j list ruleset` has it, with rules of a match and a verdict each. */
function ruleset(policy: string, ...rules: [left: unknown, right: unknown, verdict: string][]): unknown {
  const of = { family: "inet", table: "filter" };
  return {
    nftables: [
      { metainfo: {} },
      { chain: { ...of, name: "input", hook: "input", policy } },
      ...rules.map(([left, right, verdict]) => ({
        rule: { ...of, chain: "input", expr: [{ match: { op: "==", left, right } }, { [verdict]: null }] },
      })),
    ],
  };
}

const protocol = { payload: { protocol: "ip", field: "protocol" } };
const dport = (of: string) => ({ payload: { protocol: of, field: "dport" } });

/** The levels of what is found, and what it is about. */
function told(rules: unknown, spoken = SPOKEN): [string, string][] {
  return firewallFindings(rules, spoken).map(({ level, text }) => [level, text]);
}

Deno.test("firewallFindings() finds rules that drop what the election speaks by, however they say it", () => {
  assertEquals(told({ nftables: [] }).map(([level]) => level), ["ok"]);
  for (
    const [left, right] of [
      [protocol, 112],
      [{ meta: { key: "l4proto" } }, "vrrp"],
      [dport("udp"), 8112],
      [dport("tcp"), { set: [22, 8112] }],
      [dport("udp"), { range: [8000, 9000] }],
    ] as const
  ) {
    const [finding] = told(ruleset("accept", [left, right, "drop"]));
    assertEquals(finding![0], "problem", JSON.stringify(right));
    assertStringIncludes(finding![1], "the chain inet filter input drops");
  }
  assertEquals(told(ruleset("accept", [dport("udp"), 53, "drop"], [dport("tcp"), 8112, "accept"])).length, 1);
});

Deno.test("firewallFindings() warns of a chain that drops what it does not know, unless a rule lets it in", () => {
  const levels = told(ruleset("drop", [dport("tcp"), 8112, "accept"], [protocol, 112, "accept"]));
  assertEquals(levels.map(([level]) => level), ["warning"]);
  assertStringIncludes(levels[0]![1], "UDP port 8112");
  const all = ruleset("drop", [dport("udp"), 8112, "accept"]);
  assertEquals(told(all, { vrrp: false, udp: true, tcp: false }).map(([level]) => level), ["ok"]);
});

Deno.test("keepalivedIds() reads interface and id of every instance", () => {
  const text = `vrrp_instance a {\n  interface eth0 # the LAN\n  virtual_router_id 51\n}
vrrp_instance b {\n  virtual_router_id 7\n  interface eth1\n}\nvirtual_server 10.0.0.1 80 { }\n`;
  assertEquals(keepalivedIds(text), [{ device: "eth0", routerId: 51 }, { device: "eth1", routerId: 7 }]);
});

Deno.test("conntrackdConfig() is what the documentation has, and its lab test runs", () => {
  const page = Deno.readTextFileSync(new URL("../../../docs/lvs.md", import.meta.url));
  const [, text] = /```\n(Sync \{.*?)```/s.exec(page) ?? [];
  assertEquals(conntrackdConfig({ device: "eth0", own: "10.0.0.1", peer: "10.0.0.2" }), text);
  assertStringIncludes(
    conntrackdConfig({ device: "eth0", own: "fd00::1", peer: null }),
    "IPv6_address fd00::1",
  );
});

Deno.test("findingsTable() tells each with what to do, and counts; colours are for terminals", () => {
  const findings = [ok("a", "well"), warning("b", "so so", "mend it"), problem("c", "bad", "mend it too")];
  const plain = findingsTable(findings, painter(false, undefined));
  assertEquals(plain.split("\n").filter((line) => line.trim().startsWith(">")).length, 2);
  assert(plain.endsWith("\n1 problem, 1 warning\n"), plain);
  assert(!plain.includes("\x1b"));
  assertEquals(findingsTable(findings, painter(true, "1")), plain);
  assert(findingsTable(findings, painter(true, "")).includes("\x1b[31mproblem"));
});

Deno.test("paintStates() colours the third column of a table alone, and only states that it knows", () => {
  const table =
    "n1: up 4s, down\n  down     1.2.3.4:80  down       4s  no answer\n  active  up  unchecked\n" +
    "  web2     1.2.3.5:80  up\n";
  assertEquals(paintStates(table, painter(false, undefined)), table);
  const painted = paintStates(table, (colour, text) => `<${colour} ${text}>`);
  assertEquals(
    painted,
    table.replace("80  down  ", "80  <red down>  ").replace("80  up\n", "80  <green up>\n"),
  );
});

Deno.test("hadFindings() says of names by ACME what is expired, missing, or about to be", () => {
  const entry: CertificateEntry = {
    ...{ name: "a.test", state: "issued", issuer: "CN=R10", expiresAt: 2 * 3600_000, nextAt: 0, failures: 0 },
    ...{ lastError: "", listeners: ["web"], uses: [] },
  };
  const failing: CertificateEntry = { ...entry, state: "failing", failures: 1, lastError: "the order: no" };
  const entries: CertificateEntry[] = [
    entry,
    failing,
    { ...failing, expiresAt: 10 },
    { ...entry, state: "waiting", expiresAt: null },
    { ...failing, expiresAt: null },
    { ...failing, state: "file" },
  ];
  const found = hadFindings(entries, 3600_000);
  assertEquals(found.map(({ level, text }) => [level, text]), [
    ["ok", "a.test (acme) expires in 1h"],
    ["warning", "a.test (acme) expires in 1h, and cannot be renewed: the order: no"],
    ["problem", "a.test (acme) has expired: the order: no"],
    ["warning", "a.test (acme) has none that clients trust"],
    ["problem", "a.test (acme) has none that clients trust: the order: no"],
  ]);
});

Deno.test("writeBarrier() knows a directory that can be written", async () => {
  const directory = await Deno.makeTempDir();
  assertEquals(writeBarrier(directory), null);
  await Deno.writeTextFile(`${directory}/file`, "");
  assertEquals(writeBarrier(`${directory}/file`), "it is no directory");
  await Deno.remove(directory, { recursive: true });
});

Deno.test("accessLogFindings() tells of lines that were lost, and of a log that cannot be written", () => {
  const levels = (accessLinesDropped: number, accessLogProblem = "") =>
    accessLogFindings({ accessLinesDropped, accessLogProblem }).map(({ level }) => level);
  assertEquals([levels(0), levels(3), levels(3, "file:/x: full")], [[], ["warning"], ["problem"]]);
});
