import { formatPath, formatProblem, problemAt } from "../../mod/config/problem.ts";
import { assert, assertEquals } from "../assert.ts";
import { load, SMALLEST } from "./reading.ts";

async function shown(text: string, file = "etc/tandem.yaml"): Promise<string[]> {
  const result = await load(text, { file });
  assert("problems" in result);
  return result.problems.map((problem) => formatProblem(problem));
}

Deno.test("formatProblem() shows file, line, column, path, message, the line and a caret", async () => {
  assertEquals(
    await shown('listeners:\n  - { name: web, bind: "80", pool: app }\npools: { app: { servers: ["a:1"] } }'),
    [
      `etc/tandem.yaml:2:24: listeners[0].bind: must be ip:port, [v6]:port or :port, such as 0.0.0.0:8080, not "80"
      - { name: web, bind: "80", pool: app }
                           ^^^^`,
    ],
  );
});

Deno.test("formatProblem() a problem of the text itself has no path", async () => {
  assertEquals(await shown("listeners: [\n"), [
    "etc/tandem.yaml:2:1: flow sequence in block collection must be sufficiently indented and end with a ]\n    \n    ^",
  ]);
});

Deno.test("formatProblem() marks a warning as one", () => {
  const problem = problemAt("a.yaml", "x: 1", { start: 0, end: 1 }, ["x"], "is strange");
  assertEquals(formatProblem(problem, "warning"), "a.yaml:1:1: warning: x: is strange\n    x: 1\n    ^");
});

Deno.test("problemAt() shortens a long line around the caret", async () => {
  const servers = Array.from({ length: 200 }, (_, at) => `"10.0.0.${at}:80"`).join(",");
  const text =
    `{"listeners":[{"name":"web","bind":":80","pool":"app"}],"pools":{"app":{"servers":[${servers}],"chek":{}}}}`;
  const result = await load(text, { file: "a.json" });
  assert("problems" in result);
  const [problem] = result.problems;
  assert(problem !== undefined && problem.source.length <= 120);
  assertEquals(problem.column, text.indexOf('"chek"') + 1);
  assertEquals(problem.source.slice(problem.caret, problem.caret + problem.caretLength), '"chek"');
});

Deno.test("problemAt() lets no control character of a file through to a terminal", () => {
  const text = "a:\t\x1b[31mred\u009b";
  const { source, caret } = problemAt("a.yaml", text, { start: 3, end: 4 }, [], "is odd");
  assertEquals([source, caret], ["a: \ufffd[31mred\ufffd", 3]);
});

Deno.test("formatProblem() is three lines without control characters, whatever is in the file", async () => {
  const nasty = '"\\e[31m\\n\\x9b${A\\e}"';
  for (const line of [`log: { level: ${nasty} }`, `${nasty}: 1`, `admin: { bind: ${nasty} }`]) {
    const [problem, ...others] = await shown(`${SMALLEST}\n${line}`);
    assertEquals([others, problem?.split("\n").length], [[], 3]);
    // deno-lint-ignore no-control-regex -- control characters are what must not be there
    assertEquals(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/.test(problem ?? ""), false);
  }
});

Deno.test("problemAt() keeps within the text, whatever the span", () => {
  for (const text of ["", "\n", "ab\ncd", "ab\r\ncd\r\n"]) {
    for (let start = 0; start <= text.length + 1; start++) {
      for (const end of [start, start + 1, start + 100]) {
        const problem = problemAt("a", text, { start, end }, [], "x");
        assertEquals(problem.line, text.slice(0, Math.min(start, text.length)).split("\n").length);
        assert(problem.caret <= problem.source.length && problem.caretLength >= 1);
      }
    }
  }
});

Deno.test("formatPath() is what one would write", () => {
  assertEquals(formatPath(["listeners", 0, "bind"]), "listeners[0].bind");
  assertEquals(formatPath(["pools", "a.b", "x"]), 'pools["a.b"].x');
  assertEquals(formatPath([]), "");
  assert(formatPath(["x".repeat(500), "a b".repeat(100)]).length < 700);
});
