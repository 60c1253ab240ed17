import fc from "fast-check";
import { expressionOf, parseExpression, parseWholeExpression } from "../../mod/route/expression.ts";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "../assert.ts";

Deno.test("parseExpression() finds anywhere in the text, with or without regard to case", () => {
  const rows: [expression: string, text: string, found: boolean][] = [
    ["~b", "abc", true],
    ["~^b", "abc", false],
    ["~^a.c$", "abc", true],
    ["~B", "abc", false],
    ["~*B", "abc", true],
    ["~*^A", "abc", true],
    ["~(?i)B", "abc", true],
    // A character is a byte.
    ["~^\\xe9$", "\xe9", true],
    ["~a$", "a\n", false],
  ];
  for (const [expression, text, found] of rows) {
    assertEquals(expressionOf(expression).test(text), found, `${expression} ${text}`);
  }
});

Deno.test("parseExpression() names its groups and gives what they took", () => {
  const expression = expressionOf("~^/(?<first>[a-z]+)(?:/(?<second>[0-9]+))?$");
  assertEquals(expression.names, ["first", "second"]);
  const groups = (text: string) => expression.groups(text) && Object.fromEntries(expression.groups(text)!);
  assertEquals(groups("/ab/12"), { first: "ab", second: "12" });
  assertEquals(groups("/ab"), { first: "ab", second: "" });
  assertEquals(groups("/12"), null);
});

Deno.test("parseWholeExpression() must match all of the text", () => {
  const expression = parseWholeExpression("a|bc");
  assert(typeof expression !== "string");
  assertEquals(["a", "bc", "ab", "abc", ""].map((text) => expression.test(text)), [
    true,
    true,
    false,
    false,
    false,
  ]);
  // Not by itself, though it would be one inside of the parentheses that it is put in.
  assert(typeof parseWholeExpression("a)(b") === "string");
});

Deno.test("parseExpression() refuses what RE2 has no linear answer for, and what is too large", () => {
  const rows = [
    ["~", "empty"],
    ["~*", "empty"],
    ["~(a", "missing closing )"],
    ["~(?=a)b", "(?="],
    ["~(?<!a)b", "(?<!"],
    ["~(a)\\1", "\\1"],
    ["~a{2000}", "repeat"],
    ["~[a-z]{600}", "too large"],
  ] as const;
  for (const [text, says] of rows) {
    const problem = parseExpression(text);
    assert(typeof problem === "string", `${text} was taken`);
    assertStringIncludes(problem, says);
    assertThrows(() => expressionOf(text), Error, text);
  }
});

Deno.test("parseExpression() reads what JavaScript reads, as JavaScript does", () => {
  const source = fc.constantFrom(
    "^a+$",
    "(a|b)*c",
    "[^a]b?",
    "a{2,3}",
    "(?:ab|a)(?:c|bcd)",
    "\\d+\\w*",
    "a.*?b",
    "^(?:a|$)",
  );
  const text = fc.string({ unit: fc.constantFrom("a", "b", "c", "d", "1"), maxLength: 12 });
  fc.assert(fc.property(source, text, (source, text) => {
    assertEquals(expressionOf(`~${source}`).test(text), new RegExp(source).test(text));
  }));
});

Deno.test("parseExpression() ends on texts that JavaScript's own would not end on", () => {
  const text = `${"a".repeat(16_000)}!`;
  for (const source of ["^(a+)+$", "^(a|aa)+$", "^(a*)*b?$", "(a*)*(a*)*(a*)*c?$x"]) {
    assertEquals(expressionOf(`~${source}`).test(text), false, source);
  }
  assertEquals(expressionOf("~^(?<all>(a+)+)$").groups(text), null);
});
