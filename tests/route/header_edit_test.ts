/** Invariant: whatever a request holds, what rules write is lines of their own names and nothing else. */
import fc from "fast-check";
import type { HeaderRules } from "../../mod/config/snapshot.ts";
import { fromLatin1, latin1 } from "../../mod/http/grammar.ts";
import { DONE, Head, parseRequestHead } from "../../mod/http1/head.ts";
import { DROP, HeaderEdit, KEEP } from "../../mod/route/header_edit.ts";
import { assertEquals, assertMatch } from "../assert.ts";
import { answer, source } from "./source.ts";

const NONE: HeaderRules = { remove: [], replace: [], set: [], add: [] };

function written(edit: HeaderEdit, headers: Readonly<Record<string, string>> = {}): string {
  const out = new Uint8Array(64 * 1024);
  const room = edit.prepareRequest(new Head(), out, source({ headers }));
  const length = edit.write(out, 0);
  if (length > room) throw new Error(`Wrote ${length} bytes with room for ${room}`);
  return latin1(out, 0, length);
}

Deno.test("HeaderEdit.write() writes one line for each value, whatever it holds, within the room it asked for", () => {
  const edit = new HeaderEdit(
    [{ ...NONE, set: [["X-A", "$header(a)"], ["X-B", "<$header(b)|$requestId>"], ["X-C", "c"]] }],
    false,
  );
  const any = fc.string({
    unit: fc.integer({ min: 0, max: 0x2ff }).map((code) => String.fromCharCode(code)),
  });
  fc.assert(fc.property(any, any, (a, b) => {
    const text = written(edit, { a, b });
    assertMatch(
      text,
      a === ""
        ? /^X-C: c\r\nX-B: <[\t\x20-\x7e\x80-\xff]*\|id-1>\r\n$/
        : /^X-C: c\r\nX-A: [\t\x20-\x7e\x80-\xff]*\r\nX-B: <[\t\x20-\x7e\x80-\xff]*\|id-1>\r\n$/,
    );
    const amended = edit.amend(
      "HTTP/1.1 200 OK\r\nX-A: old\r\nContent-Length: 1\r\n\r\n",
      [a, b, "id"],
      answer(),
    );
    assertEquals(amended.split("\r\n").length, a === "" ? 6 : 7);
    assertEquals(amended.includes("old"), false);
  }));
});

Deno.test("HeaderEdit applies rules in order: listener, route, and in each remove, set, add", () => {
  const listener = { ...NONE, set: [["X-A", "1"], ["X-B", "1"]], add: [["X-C", "1"]] } as const;
  const route = { ...NONE, remove: ["x-b"], set: [["x-a", "2"]], add: [["X-C", "2"]] } as const;
  assertEquals(written(new HeaderEdit([listener, route], false)), "X-C: 1\r\nx-a: 2\r\nX-C: 2\r\n");
  const wild = { ...NONE, remove: ["x-*"], add: [["X-D", "3"]] } as const;
  assertEquals(written(new HeaderEdit([listener, wild], false)), "X-D: 3\r\n");
});

Deno.test("HeaderEdit.prepare() finds fields by name, whatever the case, `_` as `-`, and by how they begin", () => {
  const rules = {
    ...NONE,
    remove: ["x-user", "x-in-*", "y_z"],
    replace: [{ name: "x-old", match: "o", with: "0$header(a)" }],
  };
  const bytes = fromLatin1(
    "GET / HTTP/1.1\r\nX-User: 1\r\nX_USER: 2\r\nX-Users: 3\r\nx-In-: 4\r\nX_in_a: 5\r\nX-In: 6\r\nY-Z: 7\r\n" +
      "X-Old: foo\r\nx-old: bar\r\n\r\n",
  );
  const head = new Head();
  assertEquals(parseRequestHead(head, bytes, 0, bytes.length, 100), DONE);
  const edit = new HeaderEdit([rules], false);
  edit.prepareRequest(head, bytes, source({ headers: { a: "a\r\nb" } }));
  assertEquals([...edit.actions.subarray(0, 9)], [DROP, DROP, KEEP, DROP, DROP, KEEP, DROP, DROP + 1, KEEP]);
  assertEquals(edit.changed[7], "f0a  bo");
});
