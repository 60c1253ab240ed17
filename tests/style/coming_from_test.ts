/**
 * Every Tandem side that `docs/coming-from.md` shows is one that Tandem accepts, without a warning, where the row says
 * it stands.
 */
// @ts-types="../../mod/config/std_yaml.d.ts"
import { parse } from "@std/yaml";
import { loadConfig } from "../../mod/config/load.ts";
import { assert, assertEquals } from "../assert.ts";
import { HAPROXY, NGINX } from "./directives.ts";
import { read } from "./tree.ts";

type Fields = Readonly<Record<string, unknown>>;

interface Row {
  readonly line: number;
  /** The head of the first column: whose directives they are. */
  readonly source: string;
  readonly theirs: string;
  readonly place: string;
  readonly ours: string;
}

const PAGE = "docs/coming-from.md";
/** The place of a row without a setting: it says in words why there is none. */
const NONE = "—";
/** Pools that a row may name. */
const POOLS = ["app", "beta", "canary", "shadow"];
/** One of these makes a route or a listener whole. */
const ACTIONS = ["pool", "routes", "split", "redirect", "redirectHttps", "respond", "files", "function"];
const CERTIFICATES = [{ cert: "a.pem", key: "a.key" }];
const SERVERS = ["10.0.0.1:80", "10.0.0.2:80"];
const WITH_ACME = [
  { name: "web", bind: ":80", redirectHttps: true },
  { name: "secure", bind: ":443", tls: { acme: ["a.test"] }, pool: "app" },
];

/** Every row of a table with the column `in`. */
function rows(): Row[] {
  const found: Row[] = [];
  let source: string | null = null;
  for (const [at, text] of read(PAGE).split("\n").entries()) {
    if (!text.startsWith("|")) {
      source = null;
      continue;
    }
    const [theirs = "", place = "", ours = ""] = text.split(/(?<!\\)\|/).slice(1, -1)
      .map((cell) => cell.trim().replaceAll("\\|", "|"));
    if (place === "in") source = theirs;
    else if (source !== null && !/^-+$/.test(place)) {
      found.push({ line: at + 1, source, theirs, place, ours });
    }
  }
  return found;
}

/** A whole configuration around what a row shows; null: there is no such place. */
function around(place: string, fields: Fields): Fields | null {
  const whole = ACTIONS.some((key) => key in fields) ? fields : { ...fields, pool: "app" };
  switch (place) {
    case "top":
      return configured({ pool: "app" }, "acme" in fields ? { ...fields, listeners: WITH_ACME } : fields);
    case "listener":
      return configured(whole);
    case "listener with tls":
      return configured({ ...whole, tls: { certificates: CERTIFICATES, ...fields.tls as Fields } });
    case "route":
      return configured({ routes: [whole] });
    case "pool":
      return configured({ pool: "app" }, { pools: { app: { servers: SERVERS, ...fields } } });
    case "server": {
      const servers = [{ address: "10.0.0.1:80", ...fields }, "10.0.0.2:80"];
      return configured({ pool: "app" }, { pools: { app: { servers } } });
    }
  }
  return null;
}

/** One listener of the row's, and another that uses every pool and the cache; `more` stands at the top. */
function configured(listener: Fields, more: Fields = {}): Fields {
  const { listeners = [{ name: "web", bind: ":80", ...listener }], pools, ...rest } = more;
  const split = { pools: Object.fromEntries(POOLS.map((name) => [name, 1])) };
  return {
    listeners: [...listeners as Fields[], {
      name: "others",
      bind: ":8088",
      routes: [{ split, cache: true }],
    }],
    pools: { ...Object.fromEntries(POOLS.map((name) => [name, { servers: SERVERS }])), ...pools as Fields },
    ...rest,
  };
}

/** What is wrong with a row, each in a sentence. */
async function faultsOf({ place, ours }: Row): Promise<string[]> {
  const code = /^`(.*)`$/.exec(ours)?.[1];
  if (place === NONE) return code === undefined && ours.length > 0 ? [] : ["has no setting, and no reason"];
  const fields = code === undefined ? null : parse(code);
  if (typeof fields !== "object" || fields === null) return [`shows no keys and values: ${ours}`];
  const whole = around(place, fields as Fields);
  if (whole === null) return [`stands in "${place}", which is no place`];
  const result = await loadConfig(JSON.stringify(whole), {
    file: "tandem.json",
    node: null,
    context: null,
    env: () => "a secret of some length",
  });
  const said = [..."problems" in result ? result.problems : [], ...result.warnings];
  return said.map(({ path, message }) => `${path}: ${message}`);
}

/** Whether one of the cells has these words, as words of their own. */
function names(cells: readonly string[], words: string): boolean {
  const escaped = words.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const pattern = new RegExp(`(?<![\\w-])${escaped}(?![\\w-])`);
  return cells.some((cell) => pattern.test(cell));
}

Deno.test("comingFrom() every Tandem side is accepted", async () => {
  const wrong: string[] = [];
  for (const row of rows()) {
    const faults = await faultsOf(row);
    wrong.push(...faults.map((fault) => `${PAGE}:${row.line}: ${row.theirs}: ${fault}`));
  }
  assertEquals(wrong, []);
});

Deno.test("comingFrom() every directive that is used much has a line", () => {
  const all = rows();
  for (const [source, directives] of [["nginx", NGINX], ["HAProxy", HAPROXY]] as const) {
    const cells = all.filter((row) => row.source.includes(source)).map((row) => row.theirs);
    assert(new Set(directives).size >= 60, `${source}: ${directives.length}`);
    assertEquals(directives.filter((words) => !names(cells, words)), [], source);
  }
});
