import fc from "fast-check";
import { expandLines } from "../../mod/import/keepalived_lines.ts";
import { parseKeepalived, type Statement } from "../../mod/import/keepalived_text.ts";
import { assert, assertEquals } from "../assert.ts";

/** Statements as nested lists, with their lines. */
function shape(statements: readonly Statement[]): unknown[] {
  return statements.map(({ place, words, block }) =>
    block === null ? [Number(place.label), ...words] : [Number(place.label), ...words, shape(block)]
  );
}
const parse = (text: string) =>
  parseKeepalived(expandLines({ file: "k.conf", text }, { id: null, include: () => [] }).lines);
const read = (text: string) => shape(parse(text));

Deno.test("parseKeepalived() words, blocks and lines, wherever the braces stand", () => {
  const wanted = [[1, "a", "b", [[2, "c", "d"], [3, "e", [[3, "f"]]]]], [5, "g"]];
  assertEquals(read("a b {\n c d\n e { f }\n}\ng"), wanted);
  assertEquals(read("a b\n{ c d\n e\n{ f } }\ng"), [[1, "a", "b", [[2, "c", "d"], [3, "e", [[4, "f"]]]]], [
    5,
    "g",
  ]]);
  assertEquals(read("a{b{c}}"), [[1, "a", [[1, "b", [[1, "c"]]]]]]);
});

Deno.test("parseKeepalived() leaves comments away, and keeps what is quoted together", () => {
  assertEquals(read('! all\na b # c\nd "e # f ! { g }" h!i\n\'j k\' ""'), [
    [2, "a", "b"],
    [3, "d", "e # f ! { g }", "h"],
    [4, "j k", ""],
  ]);
});

Deno.test("parseKeepalived() what is escaped in quotes is itself, or what it stands for", () => {
  assertEquals(read(String.raw`a "b \"c\" \\ \x41\102\t" 'it\'s' \d "#\"#"`), [
    [1, "a", 'b "c" \\ AB\t', "it's", "\\d", '#"#'],
  ]);
});

Deno.test("parseKeepalived() too many or too few braces do no harm", () => {
  assertEquals(read("}}a\n{"), [[1, "a", []]]);
  assertEquals(read("{ a }\nb"), [[1, "a"], [2, "b"]]);
  assertEquals(read("a { b"), [[1, "a", [[1, "b"]]]]);
});

Deno.test("parseKeepalived() never throws, and every statement has a word and a line of the text", () => {
  const piece = fc.constantFrom(
    "a",
    "{",
    "}",
    "\n",
    " ",
    '"',
    "'",
    "#",
    "!",
    "@x",
    "$A=1",
    "$A",
    "${A}",
    "\0",
    "é",
  );
  fc.assert(fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
    const text = pieces.join("");
    const lines = text.split("\n").length;
    const sound = ({ words, place, block }: Statement): boolean =>
      words.length > 0 && Number(place.label) >= 1 && Number(place.label) <= lines &&
      (block ?? []).every(sound);
    assert(parse(text).every(sound));
  }));
});
