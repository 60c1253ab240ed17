/** The alert rules and the dashboard: what they ask for exists, and the rules go off when they should. */
import { dirname } from "node:path";
import { electionMetrics } from "../../mod/observe/election_status.ts";
import { exposition } from "../../mod/observe/exposition.ts";
import { kernelMetrics } from "../../mod/observe/kernel_status.ts";
import { metricsPage } from "../../mod/observe/metrics.ts";
import { Refusals } from "../../mod/observe/refusals.ts";
import { assert, assertEquals } from "../assert.ts";
import { labTest, requireTool } from "../lab/tools.ts";
import { parseExposition } from "../observe/parse_exposition.ts";
import { VRRP } from "../observe/sample_election.ts";
import { KERNEL } from "../observe/sample_kernel.ts";
import { SAMPLE_LIMIT, sampleStatus, sampleTraffic } from "../observe/sample_status.ts";

const PACKAGING = new URL("../../packaging/", import.meta.url);
const RULES = new URL("prometheus/tandem.rules.test.yaml", PACKAGING).pathname;
const read = (name: string) => Deno.readTextFileSync(new URL(name, PACKAGING));

const SESSIONS = { by: "table", entries: 1, size: 8, hits: 5, misses: 4, moved: 3, evictions: 2 } as const;
const NAME = { name: "a", state: "issued", expiresAt: 1, nextAt: 1, failures: 0, lastError: "" } as const;

const AUTHORITY = {
  use: "acme.ca",
  name: "CN=us",
  issuer: "",
  file: "ca.pem",
  expiresAt: 1,
  fingerprint: "",
};

/** All that a node has, where it has something of everything. */
function page(): string {
  const acme = { active: true, names: [NAME] };
  const status = sampleStatus({ limits: [SAMPLE_LIMIT], acme, certificates: [AUTHORITY] });
  const pools = status.pools.map((pool) => {
    return { ...pool, sessions: SESSIONS, breaker: { state: "closed", opened: 1 } as const };
  });
  return metricsPage({ ...status, pools }, sampleTraffic()) + electionMetrics(VRRP) +
    kernelMetrics(KERNEL) + exposition([new Refusals().family()]);
}

function docsPages(): { file: string; text: string }[] {
  const docs = new URL("../../docs/", import.meta.url);
  return [...Deno.readDirSync(docs)].filter(({ name }) => name.endsWith(".md"))
    .map(({ name }) => ({ file: name, text: Deno.readTextFileSync(new URL(name, docs)) }));
}

Deno.test("every metric stands in a page of docs, by its name or, beside another, by the end of it", () => {
  const text = docsPages().map(({ text }) => text).join("");
  const told = new Set(
    [...text.matchAll(/`(_?[a-z][a-z0-9_]+)(?:\{[^}`]*\})?`/g)].map(([, name = ""]) => name),
  );
  const ends = (name: string) => [...name.matchAll(/_/g)].map(({ index }) => name.slice(index));
  const silent = [...parseExposition(page()).keys()].filter((name) => {
    return !told.has(name) && !ends(name).some((end) => told.has(end));
  });
  assertEquals(silent, []);
});

Deno.test("every metric that a page of docs names is one that there is, with the labels that it says", () => {
  const families = parseExposition(page());
  const has = (name: string, labels: string) => {
    const samples = [...families.get(name)?.samples.keys() ?? []];
    return samples.some((sample) => labels.split(",").every((label) => sample.includes(`${label}="`)));
  };
  const named = docsPages().flatMap(({ file, text }) =>
    text.split("\n").flatMap((line) => namedIn(file, line))
  );
  assert(named.length > 100, String(named.length));
  const unknown = named.filter(({ start, end, labels }) =>
    ![...families.keys()].some((name) =>
      name.startsWith(start) && name.endsWith(end) && (labels === "" || has(name, labels))
    )
  );
  assertEquals(unknown, []);
});

/** `tandem_server_up` is told by its whole name, `_active` beside it by its end, as another of the same subject. */
function namedIn(file: string, line: string) {
  let subject = "";
  return [...line.matchAll(/`((?:tandem)?_[a-z0-9_]+)(?:\{([a-z,]+)\})?`/g)].flatMap(
    ([, text = "", labels = ""]) => {
      // The user that scripts run as.
      if (text === "tandem_script" || (!text.startsWith("tandem") && subject === "")) return [];
      if (!text.startsWith("tandem")) return [{ file, start: subject, end: text, labels }];
      subject = /^tandem_[a-z]+/.exec(text)![0];
      return [{ file, start: text, end: text, labels }];
    },
  );
}

for (const name of ["prometheus/tandem.rules.yaml", "grafana/tandem.json"]) {
  Deno.test(`${name} asks for metrics that there are`, () => {
    const names = new Set(
      [...parseExposition(page()).keys()].flatMap((name) => [name, `${name}_bucket`, `${name}_count`]),
    );
    const asked = new Set(read(name).match(/\btandem_[a-z_]+\b/g));
    assert(asked.size > 10);
    assertEquals([...asked].filter((name) => !names.has(name)), []);
  });
}

Deno.test("the dashboard has panels that do not overlap", () => {
  interface Panel {
    readonly title: string;
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  }
  const { panels }: { panels: Panel[] } = JSON.parse(read("grafana/tandem.json"));
  const taken = new Map<string, string>();
  for (const { title, gridPos: { x, y, w, h } } of panels) {
    assert(x + w <= 24, title);
    for (let column = x; column < x + w; column++) {
      for (let row = y; row < y + h; row++) {
        assertEquals(taken.get(`${column}/${row}`), undefined, title);
        taken.set(`${column}/${row}`, title);
      }
    }
  }
});

labTest("the alert rules go off when they should, as Prometheus evaluates them", ["promtool"], async () => {
  const tool = requireTool("promtool");
  if ("skip" in tool) throw new Error(tool.skip);
  const { success, stdout, stderr } = await new Deno.Command(tool.path, {
    args: ["test", "rules", RULES],
    cwd: dirname(RULES),
  }).output();
  assert(success, new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr));
});
