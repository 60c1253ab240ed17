import fc from "fast-check";
import { parseKeepalived, type Statement } from "../../mod/import/keepalived_text.ts";
import { assert, assertEquals } from "../assert.ts";

/** Statements as nested lists, with their lines. */
function shape(statements: readonly Statement[]): unknown[] {
  return statements.map(({ line, words, block }) =>
    block === null ? [line, ...words] : [line, ...words, shape(block)]
  );
}
const read = (text: string, id: string | null = null) => shape(parseKeepalived(text, id).statements);

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

Deno.test("parseKeepalived() lines for another id are skipped and told, those for ours are taken", () => {
  const text = "@high priority 170\n@low priority 85\n@^low state MASTER";
  const { statements, skipped } = parseKeepalived(text, "high");
  assertEquals([shape(statements), shape(skipped)], [
    [[1, "priority", "170"], [3, "state", "MASTER"]],
    [[2, "@low", "priority", "85"]],
  ]);
  assertEquals(read(text), [[3, "state", "MASTER"]]);
});

Deno.test("parseKeepalived() replaces what was defined before, and nothing else", () => {
  assertEquals(read("$IF=eth7\ninterface $IF\ndev ${IF}.1 $OTHER ${NONE}"), [
    [2, "interface", "eth7"],
    [3, "dev", "eth7.1", "$OTHER", "${NONE}"],
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
    const sound = ({ words, line, block }: Statement): boolean =>
      words.length > 0 && line >= 1 && line <= lines && (block ?? []).every(sound);
    assert(parseKeepalived(text, null).statements.every(sound));
  }));
});
