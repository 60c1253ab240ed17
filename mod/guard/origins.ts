/** Which origins (RFC 6454) a list names: exactly, every name below a domain, by expression, or all of them. Pure. */
import { parseWholeExpression } from "../route/expression.ts";

/** What an `Origin` field may hold (section 7.1), one origin alone. */
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[A-Za-z0-9._\-[\]:]{1,255}$/;

export class Origins {
  /** Every origin is named. */
  readonly all: boolean;
  readonly #exact: ReadonlySet<string>;
  readonly #tests: readonly ((origin: string) => boolean)[];

  constructor(names: readonly string[]) {
    this.all = names.includes("*");
    this.#exact = new Set(names);
    this.#tests = names.filter((name) => name !== "*" && /^~|\*/.test(name)).map(testOf);
  }

  /** True for an origin, as it stands in its field, that the list names. What is no origin is in no list. */
  names(origin: string): boolean {
    if (origin !== "null" && !ORIGIN.test(origin)) return false;
    return this.all || this.#exact.has(origin) || this.#tests.some((test) => test(origin));
  }
}

function testOf(name: string): (origin: string) => boolean {
  if (name.startsWith("~")) {
    const expression = parseWholeExpression(name.slice(1));
    if (typeof expression === "string") throw new Error(`Cannot use an origin: ${expression}`);
    return (origin) => expression.test(origin);
  }
  // `https://*.example.com`: names below it, not itself.
  const [scheme = "", rest = ""] = name.split("*");
  return (origin) =>
    origin.startsWith(scheme) && origin.endsWith(rest) && origin.length > scheme.length + rest.length;
}
