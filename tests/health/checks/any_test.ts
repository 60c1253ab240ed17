/** Invariant of the fuzz: whatever a server says, a talk throws nothing and has one verdict, with a reason of one line. */
import fc from "fast-check";
import { assertMatch } from "../../assert.ts";
import type { Verdict } from "../../../mod/health/check_kind.ts";
import { CHECK_KINDS, CHECK_TYPES } from "../../../mod/health/kinds.ts";
import { fromLatin1 } from "../../../mod/http/grammar.ts";
import { talkOf } from "./talking.ts";

/** What each needs to begin. */
const GIVEN: Readonly<Record<string, Record<string, unknown>>> = {
  dns: { name: "a.test" },
  udp: { steps: [{ send: "a" }, { expect: "~^b\r\n|c" }] },
  tcp: { steps: [{ expect: "a" }, { expect: "~b$" }, { send: "c" }, { expectHex: "00" }] },
  http: { expect: { body: "~a|b", headers: { x: true } } },
};
/** Beginnings that bring a talk further than noise would. */
const PIECES = [
  "+PONG\r\n",
  "HTTP/1.1 200 OK\r\n",
  "x: y\r\n\r\n",
  "220 hi\r\n",
  "250-x\r\n250 y\r\n",
  "R\0\0\0\x08\0\0\0\0",
  "E\0\0\0\x0aCx\0Mx\0",
  "\x0a\0\0\0\x0a10.1\0aaaa",
  "\x07\0\0\x02\xff\x15\x04#28",
  "\0\0\0\x04\0\0\0\0\0",
  "\0\0\x01\x01\x05\0\0\0\x01\x88",
  "\x80\0\x81\x80\0\x01\0\x01\0\0\0\0\x01a\x04test\0\0\x01\0\x01\xc0\x0c",
];

const noise = fc.uint8Array({ maxLength: 40 });
const pieces = fc.constantFrom(...PIECES).map(fromLatin1);
const answers = fc.array(fc.oneof(noise, pieces), { maxLength: 12 });

for (const type of CHECK_TYPES.filter((type) => CHECK_KINDS[type].talk !== undefined)) {
  for (const mode of [{}, { http2: true }, { datagrams: true }]) {
    Deno.test(`${type} ${JSON.stringify(mode)} has a verdict on anything`, () => {
      fc.assert(fc.property(answers, (parts) => {
        const talk = talkOf({ type, ...GIVEN[type] }, mode);
        let verdict: Verdict | undefined = talk.begin().verdict;
        for (const part of parts) {
          if (verdict === undefined && part.length > 0) verdict = talk.receive(part).verdict;
        }
        const { reason } = verdict ?? talk.end();
        assertMatch(reason, /^.{1,400}$/);
      }));
    });
  }
}
