/**
 * What the rules of a route make of one request: its target, its host, its fields. Prepared before the head is
 * composed, as that needs to know how much room it takes; good until the next request of this route.
 */
import type { HeaderRules, RewriteSnapshot } from "../config/snapshot.ts";
import { FORWARDED_NAMES } from "../http/forwarded.ts";
import { fromLatin1 } from "../http/grammar.ts";
import type { Head } from "../http1/head.ts";
import { validMadeHost } from "../http1/request.ts";
import { HeaderEdit, KEEP } from "../route/header_edit.ts";
import { Rewrite } from "../route/rewrite.ts";
import type { RequestValues } from "./request_values.ts";

export class RequestEdit {
  /** Path and query; null: as they came. */
  target: string | null = null;
  /** Null: as it came. */
  host: Uint8Array | null = null;
  /** Room needed beyond what the request as it came needs. */
  room = 0;
  readonly dropsRequestId: boolean;
  /** Whether lines are left out of those that tell servers who the client was. */
  readonly dropsForwarded: boolean;
  readonly #headers: HeaderEdit | null;
  readonly #rewrite: Rewrite | null;

  constructor(headers: HeaderEdit | null, rewrite: Rewrite | null) {
    this.#headers = headers;
    this.#rewrite = rewrite;
    this.dropsRequestId = this.drops("x-request-id");
    this.dropsForwarded = FORWARDED_NAMES.some((name) => this.drops(name));
  }

  /** Works out everything; false: the host that comes out is none. */
  prepare(head: Head, bytes: Uint8Array, values: RequestValues): boolean {
    const target = this.target = this.#rewrite?.target(values) ?? null;
    const host = this.#rewrite?.host(values) ?? null;
    this.host = host === null ? null : fromLatin1(host);
    this.room = (this.#headers?.prepareRequest(head, bytes, values) ?? 0) + (target?.length ?? 0) +
      (host?.length ?? 0);
    return host === null || validMadeHost(host);
  }

  /** What is done with a field: `KEEP`, `DROP`, or more: it has the value `changed`. */
  action(field: number): number {
    return this.#headers === null ? KEEP : this.#headers.actions[field]!;
  }

  changed(field: number): string {
    return this.#headers!.changed[field]!;
  }

  /** True when fields of this name are left out, also those that would be added. */
  drops(name: string): boolean {
    return this.#headers?.dropsName(name) ?? false;
  }

  /** Writes the added fields; returns the offset behind them. */
  write(out: Uint8Array, at: number): number {
    return this.#headers === null ? at : this.#headers.write(out, at);
  }
}

/** Rules for headers, and what a route makes of the rest; null: nothing is changed, at no cost. */
export function requestEdit(
  rules: readonly (HeaderRules | undefined)[],
  rewrite: RewriteSnapshot | undefined,
): RequestEdit | null {
  const given = rules.filter((one) => one !== undefined);
  if (given.length === 0 && rewrite === undefined) return null;
  return new RequestEdit(
    given.length === 0 ? null : new HeaderEdit(given, false),
    rewrite === undefined ? null : new Rewrite(rewrite),
  );
}
