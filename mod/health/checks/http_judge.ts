/** What an http check thinks of an answer, over HTTP/1 and HTTP/2 alike; told of its parts as they come. Pure. */
import { bad, good, LISTEN, quoted, type Turn } from "../check_kind.ts";
import { type Wanted, wantedOf } from "../wanted.ts";
import type { HttpExpected } from "./http.ts";

export class HttpJudge {
  readonly #expect: HttpExpected;
  readonly #wanted: Wanted | null;
  #status = 0;
  #body = "";

  constructor(expect: HttpExpected) {
    this.#expect = expect;
    this.#wanted = expect.body === undefined ? null : wantedOf(expect.body);
  }

  onStatus(status: number): Turn {
    this.#status = status;
    if (!this.#expect.status.some(([first, last]) => status >= first && status <= last)) {
      return bad(`status ${status} is not expected`);
    }
    const wantsMore = this.#wanted !== null || Object.keys(this.#expect.headers).length > 0;
    return wantsMore ? LISTEN : good(`status ${status}`);
  }

  /** `fields` by their names in lower case. */
  onFields(fields: ReadonlyMap<string, string>): Turn {
    for (const [name, expected] of Object.entries(this.#expect.headers)) {
      const value = fields.get(name);
      if (expected === false) {
        if (value !== undefined) return bad(`the answer has a header ${name}`);
      } else if (value === undefined) return bad(`the answer has no header ${name}`);
      else if (expected !== true && !wantedOf(expected).is(value)) {
        return bad(`the header ${name} is "${quoted(value)}", not ${wantedOf(expected).words}`);
      }
    }
    return this.#wanted === null ? this.#good() : LISTEN;
  }

  /** Some of the body, as latin-1. */
  onBody(text: string): Turn {
    this.#body += text;
    return this.#wanted!.find(this.#body) < 0 ? LISTEN : this.#good();
  }

  /** The body is complete. */
  onBodyEnd() {
    return bad(`the body does not have ${this.#wanted!.words}`);
  }

  #good(): Turn {
    return good(`status ${this.#status}, and what is expected`);
  }
}
