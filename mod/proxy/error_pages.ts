/**
 * Pages of the configuration in the place of our own line of text, and of servers' answers where that is wanted.
 */
import type { ErrorPage, ErrorPages } from "../config/snapshot.ts";
import { type Answer, errorAnswer } from "../http/answer.ts";
import type { Head } from "../http1/head.ts";
import { fieldValue } from "./facts.ts";

/** What a client needs to know of a server's error, whatever page it gets (RFC 9110, sections 10.2.1, 10.2.3, 11.6.1). */
const PASSED = ["WWW-Authenticate", "Retry-After", "Allow"];

export class LivePages {
  readonly #pages: readonly ErrorPage[];
  readonly #intercept: boolean;
  readonly #fallback: LivePages | null;

  /** `fallback`: the listener's, for what these do not say. */
  constructor({ pages, intercept }: ErrorPages, fallback: LivePages | null) {
    this.#pages = pages;
    this.#fallback = fallback;
    this.#intercept = intercept ?? (fallback !== null && fallback.#intercept);
  }

  /** The page of one of our own errors; null: it has none. */
  page(status: number): Answer | null {
    const page = this.#pages.find(({ first, last }) => status >= first && status <= last);
    if (page === undefined) return this.#fallback?.page(status) ?? null;
    return { ...errorAnswer(status, ""), body: page.body, contentType: page.contentType };
  }

  /** What is answered in the place of a server's answer; null: that itself. */
  instead(head: Head, bytes: Uint8Array): Answer | null {
    const page = this.#intercept ? this.page(head.status) : null;
    if (page === null) return null;
    let fields = "";
    for (const name of PASSED) {
      const value = fieldValue(head, bytes, name.toLowerCase());
      if (value !== null) fields += `${name}: ${value.replace(/[^\t\x20-\x7e]/g, "?")}\r\n`;
    }
    const { status, body, contentType } = page;
    return { status, body, contentType, fields };
  }
}
