/**
 * Sharing with pages of other origins (the Fetch standard's CORS protocol): preflights are answered here, and no server
 * hears of them; what answers say of it is said here too (`answerRules`), in the place of what servers say. Pure.
 */
import type { CorsSnapshot } from "../config/guard_snapshot.ts";
import type { ResponseRules } from "../config/snapshot.ts";
import type { Guard, GuardRequest, Verdict } from "./guard.ts";
import { Origins } from "./origins.ts";

/** Lists of names as a field has them. */
const NAMES = /^[!#$%&'*+.^_`|~0-9A-Za-z\-, ]{1,1024}$/;
const VARY = "Vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers\r\n";

export class Cors implements Guard {
  readonly #settings: CorsSnapshot;
  readonly #origins: Origins;

  constructor(settings: CorsSnapshot) {
    this.#settings = settings;
    this.#origins = new Origins(settings.origins);
  }

  check({ facts }: GuardRequest): Verdict {
    if (facts.method !== "OPTIONS") return null;
    const origin = facts.header("origin");
    if (origin === null || facts.header("access-control-request-method") === null) return null;
    const fields = this.#origins.names(origin)
      ? this.#preflight(facts.header("access-control-request-headers"))
      : "";
    return { kind: "answer", answer: { status: 204, body: "", contentType: "", fields: fields + VARY } };
  }

  /** What a preflight is told; who may ask at all is said on every answer. */
  #preflight(asked: string | null): string {
    const { methods, headers, maxAgeSeconds } = this.#settings;
    const named = headers === null ? asked !== null && NAMES.test(asked) ? asked : "" : headers.join(", ");
    return `Access-Control-Allow-Methods: ${methods.join(", ")}\r\n` +
      (named === "" ? "" : `Access-Control-Allow-Headers: ${named}\r\n`) +
      `Access-Control-Max-Age: ${maxAgeSeconds}\r\n`;
  }
}

/** What answers to a page of this origin say; null: to a page that may not read them, or to no page at all. */
export function answerRules(settings: CorsSnapshot, origin: string | null): ResponseRules {
  const { origins, credentials, exposeHeaders } = settings;
  // With credentials `*` is not taken for everybody.
  const everybody = origins.includes("*") && !credentials;
  const named = everybody ? "*" : origin;
  const set: (readonly [string, string])[] = named === null ? [] : [
    ["Access-Control-Allow-Origin", named],
    ...(credentials ? [["Access-Control-Allow-Credentials", "true"] as const] : []),
    ...(exposeHeaders.length === 0
      ? []
      : [["Access-Control-Expose-Headers", exposeHeaders.join(", ")] as const]),
  ];
  return {
    remove: [
      "access-control-allow-origin",
      "access-control-allow-credentials",
      "access-control-expose-headers",
    ],
    replace: [],
    set,
    add: everybody ? [] : [["Vary", "Origin"]],
    location: [],
    cookieDomain: [],
    cookiePath: [],
  };
}
