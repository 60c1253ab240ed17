/**
 * The tcp check: the server takes a connection, and with `steps` says what is expected to what it is told. Pure.
 *
 * What is expected is looked for behind what was found before, whatever was said in between: so the verdict does not
 * hang on how the network cuts what the server says. What must not be there is looked for once, in all that came
 * until what is expected ends, for the same reason.
 */
import { z } from "zod";
import { fromLatin1, latin1, utf8AsLatin1 } from "../../http/grammar.ts";
import { bad, checkKind, good, LISTEN, quoted, type Talk, type Turn } from "../check_kind.ts";
import { type Wanted, wantedBytes, wantedOf, wantedText } from "../wanted.ts";

const MAX_STEPS = 100;
const MAX_SAID = 4096;
const AS_EXPECTED = "said what is expected";

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
  not: wantedText().optional().describe(
    "Beside `expect` or `expectHex`: what must not stand in what the server says up to its end. As the whole of the last step: up to when the server leaves.",
  ),
}).superRefine(({ not, ...one }, context) => {
  const given = Object.entries(one).flatMap(([name, value]) => value === undefined ? [] : [name]);
  if (given.length > 1 || (given.length === 0 && not === undefined)) {
    context.addIssue({ code: "custom", message: "must have one of send, sendHex, expect and expectHex" });
  } else if (not !== undefined && given[0]?.startsWith("send") === true) {
    context.addIssue({ code: "custom", message: "must have `not` beside expect or expectHex, or alone" });
  }
});

type Step = z.output<typeof step>;

export const steps = z.array(step).max(MAX_STEPS, `must be at most ${MAX_STEPS}`).superRefine(
  (list, context) => {
    const early = list.findIndex((one) => isRefusal(one));
    if (early < 0 || early === list.length - 1) return;
    context.addIssue({
      code: "custom",
      path: [early],
      message: "must have expect beside not, or be the last step: else it waits until the server leaves",
    });
  },
).prefault([]).describe(
  "What is said and expected, one after the other. Type tcp without: a connection is enough.",
);

/** It waits for nothing but the end of what the server says. */
function isRefusal(step: Step): boolean {
  return step.not !== undefined && Object.values(step).filter((value) => value !== undefined).length === 1;
}

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
    const decided = this.full();
    if (decided !== null) return decided;
    const said = this.#said === "" ? "nothing" : JSON.stringify(quoted(this.#said));
    return bad(`expected ${this.#wanted?.words} in step ${this.#at + 1}, the server said ${said} and left`)
      .verdict;
  }

  full() {
    const step = this.#steps[this.#at];
    if (step === undefined || !isRefusal(step)) return null;
    return (this.#refused(step, this.#said) ?? good(AS_EXPECTED)).verdict;
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
      if (isRefusal(step)) return saidNow(send);
      this.#wanted ??= wantedIn(step);
      const end = this.#wanted.find(this.#said);
      if (end < 0) return saidNow(send);
      const refused = this.#refused(step, this.#said.slice(0, end));
      if (refused !== null) return refused;
      this.#said = this.#said.slice(end);
    }
    const verdict = good(this.#steps.length === 0 ? "connected" : AS_EXPECTED);
    return send === "" ? verdict : { ...verdict, send: fromLatin1(send) };
  }

  /** Null: what must not stand in `text` does not. */
  #refused({ not }: Step, text: string) {
    const unwanted = not === undefined ? null : wantedOf(not);
    if (unwanted === null || unwanted.find(text) < 0) return null;
    return bad(`${unwanted.words} is not expected in step ${this.#at + 1}`);
  }
}

function saidNow(send: string): Turn {
  return send === "" ? LISTEN : { send: fromLatin1(send) };
}

function wantedIn({ expect, expectHex }: Step): Wanted {
  return expectHex === undefined ? wantedOf(expect!) : wantedBytes(bytesOf(expectHex), expectHex);
}

/** As latin-1. */
function bytesOf(hex: string): string {
  return hex.replace(/../g, (pair) => String.fromCharCode(parseInt(pair, 16)));
}
