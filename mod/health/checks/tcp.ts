/**
 * The tcp check: the server takes a connection, and with `steps` says what is expected to what it is told. Pure.
 *
 * What is expected is looked for behind what was found before, whatever was said in between: so the verdict does not
 * hang on how the network cuts what the server says.
 */
import { z } from "zod";
import { fromLatin1, latin1, utf8AsLatin1 } from "../../http/grammar.ts";
import { bad, checkKind, good, LISTEN, quoted, type Talk, type Turn } from "../check_kind.ts";
import { type Wanted, wantedBytes, wantedOf, wantedText } from "../wanted.ts";

const MAX_STEPS = 100;
const MAX_SAID = 4096;

const hex = z.string().regex(
  /^(?:[0-9a-fA-F]{2})+$/,
  "must be bytes as pairs of hexadecimal digits, such as 0d0a",
)
  .max(2 * MAX_SAID, `must be at most ${MAX_SAID} bytes`);
const said = z.string().min(1, "must not be empty").max(MAX_SAID, `must be at most ${MAX_SAID} characters`);

const step = z.strictObject({
  send: said.optional().describe('What is said; `"\\r\\n"` in quotes ends a line.'),
  sendHex: hex.optional().describe("The same as bytes in hexadecimal."),
  expect: wantedText().optional().describe("What the server must say then: a text in it, or `~expression`."),
  expectHex: hex.optional().describe("The same as bytes in hexadecimal."),
}).refine((one) => Object.values(one).filter((value) => value !== undefined).length === 1, {
  error: "must have one of send, sendHex, expect and expectHex",
});

type Step = z.output<typeof step>;

export const steps = z.array(step).max(MAX_STEPS, `must be at most ${MAX_STEPS}`).prefault([]).describe(
  "What is said and expected, one after the other. Type tcp without: a connection is enough.",
);

export const tcp = checkKind({
  is: "a connection, or what is said over it",
  fields: { steps },
  expect: {},
  plain: ({ steps }) => steps.length === 0,
  talk: ({ steps }) => new StepsTalk(steps),
});

export class StepsTalk implements Talk {
  readonly #steps: readonly Step[];
  #at = 0;
  #said = "";
  /** What is waited for; null: nothing yet. */
  #wanted: Wanted | null = null;

  constructor(steps: readonly Step[]) {
    this.#steps = steps;
  }

  begin(): Turn {
    return this.#go();
  }

  receive(bytes: Uint8Array): Turn {
    this.#said += latin1(bytes, 0, bytes.length);
    return this.#go();
  }

  end() {
    const said = this.#said === "" ? "nothing" : JSON.stringify(quoted(this.#said));
    return bad(`expected ${this.#wanted?.words} in step ${this.#at + 1}, the server said ${said} and left`)
      .verdict;
  }

  #go(): Turn {
    let send = "";
    for (; this.#at < this.#steps.length; this.#at++, this.#wanted = null) {
      const step = this.#steps[this.#at]!;
      const saying = step.sendHex === undefined
        ? step.send && utf8AsLatin1(step.send)
        : bytesOf(step.sendHex);
      if (saying !== undefined) {
        send += saying;
        continue;
      }
      this.#wanted ??= wantedIn(step);
      const end = this.#wanted.find(this.#said);
      if (end < 0) return send === "" ? LISTEN : { send: fromLatin1(send) };
      this.#said = this.#said.slice(end);
    }
    const verdict = good(this.#steps.length === 0 ? "connected" : "said what is expected");
    return send === "" ? verdict : { ...verdict, send: fromLatin1(send) };
  }
}

function wantedIn({ expect, expectHex }: Step): Wanted {
  return expectHex === undefined ? wantedOf(expect!) : wantedBytes(bytesOf(expectHex), expectHex);
}

/** As latin-1. */
function bytesOf(hex: string): string {
  return hex.replace(/../g, (pair) => String.fromCharCode(parseInt(pair, 16)));
}
