/** Heads, fields and settings as the tests of the cache write them. */
import { parseDirectives } from "../../mod/cache/directives.ts";
import type { Received } from "../../mod/cache/head.ts";
import { type Storing, storing, type Terms } from "../../mod/cache/storing.ts";
import { fromLatin1 } from "../../mod/http/grammar.ts";
import { DONE, Head, parseResponseHead } from "../../mod/http1/head.ts";
import { readResponse, ResponseInfo } from "../../mod/http1/response.ts";
import { formatHttpDate } from "../../mod/files/http_date.ts";

/** The time of all tests. */
export const WALL = Date.UTC(2026, 10, 26, 9, 0, 0);

/** A date of HTTP, so many seconds from now. */
export function dateIn(seconds: number): string {
  return formatHttpDate(WALL + seconds * 1000);
}

/** Reads fields by name. */
export function fields(all: Record<string, string>): (name: string) => string | null {
  return (name) => all[name] ?? null;
}

export const POLICY: Storing["policy"] = {
  ttl: [],
  maxTtlMs: null,
  staleWhileRevalidateMs: 0,
  staleIfErrorMs: 0,
};

/** The terms of an answer of status 200 that came at once. */
export function stored(
  answer: Record<string, string>,
  request: { authorized?: boolean; cacheControl?: string; delayMs?: number; status?: number } = {},
  policy: Partial<Storing["policy"]> = {},
): Terms | null {
  const { authorized = false, cacheControl = null, delayMs = 0, status = 200 } = request;
  return storing(status, fields(answer), {
    authorized,
    directives: parseDirectives(cacheControl),
    policy: { ...POLICY, ...policy },
    wall: WALL,
    delayMs,
  });
}

/** An answer's head as it came. */
export function received(text: string): Received {
  const bytes = fromLatin1(text.replaceAll("\n", "\r\n"));
  const head = new Head(), info = new ResponseInfo();
  if (parseResponseHead(head, bytes, 0, bytes.length, 100) !== DONE) throw new Error("no head");
  if (!readResponse(info, head, bytes, false)) throw new Error("no answer");
  return { head, bytes, nominated: info.nominated };
}
