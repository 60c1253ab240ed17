/**
 * Why an authority does not give what it is asked for, in words for people and as far as it says when to come again.
 * Pure.
 */

const MAX_WORDS = 300;
/** Whatever a header says, we ask again within this. */
const MAX_WAIT_MS = 7 * 24 * 3600_000;

/** An authority that refused, or could not be asked. */
export class Refusal extends Error {
  constructor(
    message: string,
    readonly facts: {
      /** The kind of problem, as RFC 8555 section 6.7 names them; empty: it is of another sort. */
      readonly type?: string;
      /** Of HTTP; 0 and absent: it was said within an answer that was none of refusal. */
      readonly status?: number;
      /** When the authority wants to be asked again, in milliseconds from then; absent: it does not say. */
      readonly retryAfterMs?: number | null;
    } = {},
  ) {
    super(words(message));
  }

  get type(): string {
    return this.facts.type ?? "";
  }

  /** Whether the reason may be that the authority has no such account, or none that it takes (RFC 8555 section 7.3.6). */
  get doubtsAccount(): boolean {
    const { status = 0 } = this.facts;
    return this.type === "accountDoesNotExist" || this.type === "unauthorized" && status > 0;
  }

  get retryAfterMs(): number {
    return this.facts.retryAfterMs ?? 0;
  }
}

const TYPE = "urn:ietf:params:acme:error:";

/** From a problem document (RFC 9457) as an authority sends them. */
export function refusalOf(
  what: string,
  document: unknown,
  status: number,
  retryAfterMs: number | null,
): Refusal {
  const { type, detail, subproblems } = (document ?? {}) as Record<string, unknown>;
  const kind = typeof type === "string" && type.startsWith(TYPE) ? type.slice(TYPE.length) : "";
  const more = Array.isArray(subproblems) ? subproblems.map(({ detail }) => detail) : [];
  const said = [detail, ...more].filter((one) => typeof one === "string").join("; ");
  const reason = [kind, said].filter((part) => part !== "").join(": ") || `status ${status}`;
  return new Refusal(`${what}: ${reason}`, { type: kind, status, retryAfterMs });
}

/** `Retry-After` (RFC 9110 section 10.2.3) in milliseconds from `now`; null: none that makes sense. */
export function retryAfter(header: string | null, now: number): number | null {
  if (header === null) return null;
  const ms = /^[0-9]+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(ms) ? null : Math.min(Math.max(ms, 0), MAX_WAIT_MS);
}

/** What others say goes to a log and to a terminal. */
function words(text: string): string {
  // deno-lint-ignore no-control-regex -- control characters are what is removed
  const clean = text.replace(/[\x00-\x1f\x7f-\x9f]+/g, " ");
  return clean.length > MAX_WORDS ? clean.slice(0, MAX_WORDS - 1) + "…" : clean;
}
