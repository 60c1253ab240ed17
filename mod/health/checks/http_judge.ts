/** What an http check thinks of an answer, over HTTP/1 and HTTP/2 alike; told of its parts as they come. Pure. */
import { bad, good, LISTEN, quoted, type Turn, type Verdict } from "../check_kind.ts";
import { type Wanted, wantedOf } from "../wanted.ts";
import type { HttpExpected, StatusRange } from "./http.ts";

const GOOD_STATUSES: readonly StatusRange[] = [[200, 299]];
const ANY_STATUS: readonly StatusRange[] = [[100, 999]];

export class HttpJudge {
  readonly #expect: HttpExpected;
  /** What must stand in the body, until it was found. */
  #wanted: Wanted | null;
  /** What must not. */
  readonly #refused: Wanted | null;
  #status = 0;
  #inBody = false;
  #body = "";

  constructor(expect: HttpExpected) {
    this.#expect = expect;
    this.#wanted = expect.body === undefined ? null : wantedOf(expect.body);
    this.#refused = expect.not.body === undefined ? null : wantedOf(expect.not.body);
  }

  onStatus(status: number): Turn {
    this.#status = status;
    const { status: wanted, headers, not } = this.#expect;
    const among = (ranges: readonly StatusRange[]) =>
      ranges.some(([first, last]) => status >= first && status <= last);
    const otherwise = not.status === undefined ? GOOD_STATUSES : ANY_STATUS;
    if (!among(wanted ?? otherwise) || among(not.status ?? [])) {
      return bad(`status ${status} is not expected`);
    }
    const wantsFields = Object.keys(headers).length + Object.keys(not.headers).length > 0;
    return wantsFields || this.#wantsBody ? LISTEN : good(`status ${status}`);
  }

  /** `fields` by their names in lower case. */
  onFields(fields: ReadonlyMap<string, string>): Turn {
    this.#inBody = true;
    for (const [name, expected] of Object.entries(this.#expect.headers)) {
      const value = fields.get(name);
      if (expected === false) {
        if (value !== undefined) return bad(`the answer has a header ${name}`);
      } else if (value === undefined) return bad(`the answer has no header ${name}`);
      else if (expected !== true && !wantedOf(expected).is(value)) {
        return bad(`the header ${name} is "${quoted(value)}", not ${wantedOf(expected).words}`);
      }
    }
    for (const [name, refused] of Object.entries(this.#expect.not.headers)) {
      const value = fields.get(name);
      if (value !== undefined && wantedOf(refused).is(value)) {
        return bad(`the header ${name} is "${quoted(value)}"`);
      }
    }
    return this.#wantsBody ? LISTEN : this.#good();
  }

  /** Some of the body, as latin-1. */
  onBody(text: string): Turn {
    this.#body += text;
    if (this.#wanted !== null && this.#wanted.find(this.#body) >= 0) this.#wanted = null;
    return this.#wantsBody ? LISTEN : this.#good();
  }

  /** The body is complete. */
  onBodyEnd(): Turn & { verdict: Verdict } {
    if (this.#wanted !== null) return bad(`the body does not have ${this.#wanted.words}`);
    // Only now, as it could have been cut anywhere before.
    if (this.#refused !== null && this.#refused.find(this.#body) >= 0) {
      return bad(`the body has ${this.#refused.words}`);
    }
    return this.#good();
  }

  /** No more is read; null: too little to judge by. */
  full(): Verdict | null {
    return this.#inBody && this.#wanted === null ? this.onBodyEnd().verdict : null;
  }

  get #wantsBody(): boolean {
    return this.#wanted !== null || this.#refused !== null;
  }

  #good() {
    return good(`status ${this.#status}, and what is expected`);
  }
}
