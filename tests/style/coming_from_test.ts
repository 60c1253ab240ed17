/** Every Tandem side that `docs/coming-from.md` shows is one that Tandem accepts, where the row says it stands. */
// @ts-types="../../mod/config/std_yaml.d.ts"
import { parse } from "@std/yaml";
import { loadConfig } from "../../mod/config/load.ts";
import { assert, assertEquals } from "../assert.ts";
import { read } from "./tree.ts";

type Fields = Readonly<Record<string, unknown>>;

const PAGE = "docs/coming-from.md";
/** Pools that a row may name. */
const POOLS = ["app", "beta", "canary", "shadow"];
/** One of these makes a route or a listener whole. */
const ACTIONS = ["pool", "routes", "split", "redirect", "redirectHttps", "respond", "files"];

/** Place and right side of every row of a table with the column `in`. */
function rows(): [place: string, tandem: string][] {
  return read(PAGE).split("\n")
    .filter((line) => line.startsWith("|") && !/^\|[ |:-]+\|$/.test(line))
    .map((line) => line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim().replaceAll("\\|", "|")))
    .filter(([, place]) => place !== "in")
    .map(([, place = "", tandem = ""]) => [place, tandem]);
}

/** A whole configuration around what a row shows. */
function around(place: string, fields: Fields): Fields {
  const whole = ACTIONS.some((key) => key in fields) ? fields : { ...fields, pool: "app" };
  const servers = ["10.0.0.1:80", "10.0.0.2:80"];
  const pools = Object.fromEntries(POOLS.map((name) => [name, { servers }]));
  const web = { name: "web", bind: ":80" };
  switch (place) {
    case "top":
      return { listeners: [{ ...web, pool: "app" }], pools, ...fields };
    case "listener":
      return { listeners: [{ ...web, ...whole }], pools };
    case "route":
      return { listeners: [{ ...web, routes: [whole] }], pools };
    case "pool":
      return { listeners: [{ ...web, pool: "app" }], pools: { ...pools, app: { servers, ...fields } } };
  }
  throw new Error(
    `Cannot load a row of ${PAGE} as it stands in "${place}", not route, listener, pool or top`,
  );
}

Deno.test("comingFrom() every Tandem side is accepted", async () => {
  const all = rows();
  assert(all.length > 10);
  for (const [place, tandem] of all) {
    const code = /^`(.*)`$/.exec(tandem)?.[1] ?? "";
    const fields = parse(code) as Fields;
    assert(typeof fields === "object" && fields !== null, `${tandem} is no YAML of keys and values`);
    const result = await loadConfig(JSON.stringify(around(place, fields)), {
      file: "tandem.json",
      node: null,
      context: null,
      env: () => "a secret of some length",
    });
    assertEquals("problems" in result ? result.problems.map(({ message }) => message) : [], [], tandem);
  }
});
