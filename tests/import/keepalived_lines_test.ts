/** The examples are those of keepalived.conf(5), where it has one. */
import fc from "fast-check";
import { expandLines, type Source } from "../../mod/import/keepalived_lines.ts";
import { assert, assertEquals } from "../assert.ts";

const expand = (text: string, id: string | null = null, files: Readonly<Record<string, string>> = {}) =>
  expandLines({ file: "/etc/k/k.conf", text }, {
    id,
    include: (pattern, directory): Source[] => {
      const file = pattern.startsWith("/") ? pattern : `${directory}/${pattern}`;
      return files[file] === undefined ? [] : [{ file, text: files[file] }];
    },
  });
const texts = (text: string, id: string | null = null) =>
  expand(text, id).lines.map(({ text }) => text.trim());

Deno.test("expandLines() comments go, but not from quotes", () => {
  assertEquals(texts('! all\n a # b\n\n"c # ! d" e!f\n"g \\" # h" # i'), [
    "a",
    '"c # ! d" e',
    '"g \\" # h"',
  ]);
  assertEquals(texts("a ${_HASH}1 ${_BANG}2"), ["a #1 !2"]);
});

Deno.test("expandLines() lines for another id are skipped and told, those for ours are taken", () => {
  const { lines, skipped } = expand("@high priority 170\n@low priority 85\n@^low state MASTER", "high");
  assertEquals(lines.map(({ text, place }) => [place.label, text.trim()]), [
    ["1", "priority 170"],
    ["3", "state MASTER"],
  ]);
  assertEquals(skipped.map(({ text, place }) => [place.label, text]), [["2", "@low priority 85"]]);
  assertEquals(texts("@high a\n@^high b"), ["b"]);
  assertEquals(
    texts("@main $P=240\n@backup $P=200\npriority $P\n$IF=@main\n$IF c\n@main $Q=\\\nd \\\n\n e\n$Q", "main"),
    [
      "priority 240",
      "c",
      "d",
      "e",
    ],
  );
});

Deno.test("expandLines() replaces what is defined at that moment, and nothing else", () => {
  assertEquals(texts("$IF=eth7\ninterface $IF\ndev ${IF}.1 $IF.1 $OTHER ${NONE}"), [
    "interface eth7",
    "dev eth7.1 $IF.1 $OTHER ${NONE}",
  ]);
  assertEquals(texts("$A=10.2.${B}\n$B=0\n${A}.100/32\n$B=10\n${A}.100/32\n$B=\n${A}"), [
    "10.2.0.100/32",
    "10.2.10.100/32",
    "10.2.",
  ]);
  assertEquals(texts("a ${_PWD} ${_INSTANCE}", "lb1"), ["a /etc/k lb1"]);
});

Deno.test("expandLines() a definition of several lines, with others in it, and where each line stands", () => {
  const text = "$RS= \\\n  real_server 10.0.${VS}.${RS_NUM} 80 { \\\n  }\n" +
    "$BLOCK= \\\n  virtual_server 10.0.${VS}.4 80 { \\\n\n  $RS_NUM=1 \\\n  $RS \\\n  $RS_NUM=2 \\\n  $RS \\\n  }\n" +
    "$VS=7\nbefore $BLOCK after";
  assertEquals(texts(text), [
    "before   virtual_server 10.0.7.4 80 {",
    "real_server 10.0.7.1 80 {",
    "}",
    "real_server 10.0.7.2 80 {",
    "}",
    "} after",
  ]);
  assertEquals(expand(text).lines.map(({ place }) => place.label), Array(6).fill("13"));
});

Deno.test("expandLines() sequences and lists, also one in another", () => {
  assertEquals(texts("~SEQ(N, 0, 3) a${N}"), ["a0", "a1", "a2", "a3"]);
  assertEquals(texts("~SEQx(N, 0x90, 0x10, 0xc0) ${N}"), ["90", "a0", "b0", "c0"]);
  assertEquals(texts("~SEQ(N, 5, -2, 1) $N\n~SEQ(N, 2) $N\n~SEQ(N, -2) $N"), [
    ...["5", "3", "1"],
    ...["1", "2"],
    ...["-1", "-2"],
  ]);
  assertEquals(texts("~LST(N, a, b) $N\n~LST({IP, IP1}, {10,1},{20,4}) ${IP}.${IP1}"), [
    ...["a", "b"],
    ...["10.1", "20.4"],
  ]);
  assertEquals(texts("~LST(A,1,2) ~SEQ(B,168,2,170) ${A}.${B}"), ["1.168", "1.170", "2.168", "2.170"]);
  const { lines, problems } = expand("~SEQ(N) a\n~SEQ(N,1,0,2) a\n~LST(N) a");
  assertEquals([lines.length, problems.length], [0, 3]);
});

Deno.test("expandLines() includes files, relative to the one that names them, with their names at the lines", () => {
  const files = {
    "/etc/k/d/a": "b\ninclude x\ninclude '/abs'\n$V=9",
    "/etc/k/d/x": "c ${_PWD}",
    "/abs": "e",
  };
  const { lines, problems } = expand("include d/a # one\nincluder none\nf $V ${_PWD}", null, files);
  assertEquals(lines.map(({ place, text }) => [place.label, text]), [
    ["/etc/k/d/a:1", "b"],
    ["/etc/k/d/x:1", "c /etc/k/d"],
    ["/abs:1", "e"],
    ["3", "f 9 /etc/k"],
  ]);
  assertEquals(problems.map(({ place, text }) => [place.label, text]), [
    ["2", "includer none: there is no such file"],
  ]);
  const places = [...lines, ...problems].map(({ place }) => place.at);
  assertEquals(places.toSorted((one, other) => one - other), [0, 1, 2, 3, 4]);
});

Deno.test("expandLines() ends, whatever includes itself or stands for too much", () => {
  const circle = expand("a\ninclude k.conf", null, { "/etc/k/k.conf": "a\ninclude k.conf" });
  assert(circle.lines.length < 100 && circle.problems.length > 0);
  for (
    const text of [
      "$A=${A}${A}\n$A",
      "$A=$B\n$B=$A\n$A",
      "$A=\\\n$A \\\n$A \\\n$A\n$A",
      "~SEQ(A,49999) ~SEQ(B,49999) ~SEQ(C,49999) x",
    ]
  ) {
    const { lines, problems } = expand(text);
    assert(lines.length <= 50_000 && problems.length > 0, text);
  }
});

Deno.test("expandLines() never throws", () => {
  const pieces = [
    "$A=",
    "$A",
    "${A}",
    "\\\n",
    "\n",
    "@x ",
    "@^x ",
    "~SEQ(A,1,3) ",
    "~LST(A,",
    "{A,B},{1})",
    "a",
    "#",
    '"',
  ];
  fc.assert(fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 40 }), (all) => {
    for (const { text } of expand(all.join("")).lines) assert(text.trim() !== "");
  }));
});
