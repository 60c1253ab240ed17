import { plainSchema } from "../../mod/config/json_schema.ts";
import { referencePage } from "../../mod/config/reference.ts";
import { assert, assertEquals } from "../assert.ts";

const page = referencePage(plainSchema());

Deno.test("referencePage() docs/config.md is the page of this schema: otherwise run deno task docs", () => {
  const kept = Deno.readTextFileSync(new URL("../../docs/config.md", import.meta.url));
  assertEquals(kept.split("\n"), page.split("\n"));
});

Deno.test("referencePage() every link leads to a heading, as a renderer names it", () => {
  const anchors = new Set(
    [...page.matchAll(/^## (.*)$/gm)].map(([, title]) =>
      title!.toLowerCase().replace(/[^a-z0-9 _-]/g, "").replaceAll(" ", "-")
    ),
  );
  const links = [...page.matchAll(/\]\(#([^)]*)\)/g)].map(([, anchor]) => anchor!);
  assert(links.length > 12);
  assertEquals(links.filter((anchor) => !anchors.has(anchor)), []);
});

Deno.test("referencePage() has every map with its keys, their values, defaults and meanings", () => {
  const rows = (title: string) => page.split(`\n## ${title}\n`)[1]?.split("\n## ")[0] ?? "";
  assert(rows("`listeners[]`").includes("| `bind` | address, or a list | **required** | `ip:port`"));
  assert(rows("`listeners[].routes[].match`").includes("| `host` | text, or a list |  |"));
  assert(rows("`pools.NAME.retry`").includes("| `[connect, empty]` |"));
  assert(rows("`pools.NAME.check`").includes("| `fall` | 1 to 100 | `3` |"));
  assert(rows("The whole").includes("| `nodes` | map of: changes |"));
  assert(rows("`pools.NAME`").includes("| `servers` | list of: host:port or [map](#poolsnameservers) |"));
});

Deno.test("referencePage() cells keep to their table", () => {
  const broken = page.split("\n").filter((line) =>
    line.startsWith("| `") && line.replaceAll("\\|", "").split("|").length !== 6
  );
  assertEquals(broken, []);
});
