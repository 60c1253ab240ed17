import fc from "fast-check";
import { fillTemplate, parseTemplate, type Scope, templateOf } from "../../mod/route/template.ts";
import { VARIABLES } from "../../mod/route/variables.ts";
import { assert, assertEquals } from "../assert.ts";
import { read } from "../style/tree.ts";
import { source } from "./source.ts";

const ANY: Scope = { answers: true, groups: 3, placeholders: false };
const PATH: Scope = { ...ANY, groups: 0, placeholders: true };

function filled(text: string, scope = ANY, groups: string[] = []): string {
  const asked = source({
    target: "/u/7/x/y?a=1&b=2&a=3",
    path: "/u/:id/*",
    headers: { "x-a": "A", cookie: "sid=s; sid=t" },
  });
  return fillTemplate(templateOf(text, scope), asked, (value) => value, groups);
}

Deno.test("parseTemplate() reads variables, arguments, groups, placeholders and dollars", () => {
  const cases: [text: string, filled: string][] = [
    ["", ""],
    ["plain : * text", "plain : * text"],
    ["$method $host", "GET h"],
    ["$(host)name $(host)(x)", "hname h(x)"],
    ["$header(X-A)$header(none)|$cookie(sid)", "A|s"],
    ["$query|$query(b)|$query(c)", "a=1&b=2&a=3|2|"],
    ["$capture(path.id)-$capture(path.*)", "7-x/y"],
    ["$$$$host $$1", "$$host $1"],
    ["$2$1$0", "twoonewhole"],
    ["$uri", "/u/7/x/y?a=1&b=2&a=3"],
    ["$scheme $tlsVersion|$requestId", "http |id-1"],
  ];
  for (const [text, expected] of cases) {
    assertEquals(filled(text, ANY, ["whole", "one", "two"]), expected, text);
  }
  assertEquals(filled("/v/:id/*?:80", PATH), "/v/7/x/y?:80");
  assertEquals(templateOf("a$$b", ANY), ["a$b"]);
});

Deno.test("parseTemplate() never takes a dollar for text, and what it says is meant stands in the text", () => {
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom(..."$ab(){}1host*:") }), (text) => {
    const template = parseTemplate(text, PATH);
    if ("faults" in template) {
      assert(template.faults.every(({ part }) => part !== "" && text.includes(part)));
      return;
    }
    const dollars = template.filter((piece) => typeof piece === "string").join("").split("$").length - 1;
    assertEquals(dollars, (text.match(/\$\$/g) ?? []).length);
  }));
});

Deno.test("VARIABLES stand all in docs/rewriting.md, and nothing else does", () => {
  const page = read("docs/rewriting.md");
  const table = page.slice(page.indexOf("## Variables"), page.indexOf("`$name`"));
  const shown = [...table.matchAll(/^\| `\$(\w+)(\(NAME\))?`/gm)].map(([, name, argument]) => [
    name,
    argument !== undefined,
  ]);
  assertEquals(shown, [...VARIABLES.values()].map(({ name, argument }) => [name, argument === "needed"]));
});
