/**
 * What a guard is: it looks at a request and says whether it may go on. Which guards there are is a table
 * (`guards.ts`); who asks them, one after the other, is `proxy/guarding.ts`. Pure.
 */
import type { IpBytes } from "../base/address.ts";
import type { ErrorCode } from "../base/errors.ts";
import type { RequestFacts } from "../route/match.ts";

/** Who a client is. */
export interface GuardClient {
  /** The client's address, as far as proxies that are believed tell it. */
  readonly address: string;
  /** Null: it is none that can be read. */
  readonly ip: IpBytes | null;
}

/** What guards see of a request; good only during the call. */
export interface GuardRequest extends GuardClient {
  readonly facts: RequestFacts;
}

/** The request is refused. */
export interface Denial {
  readonly kind: "deny";
  readonly code: ErrorCode;
  /** Instead of the code's own; absent: that. */
  readonly status?: number;
  /** Further field lines of the answer, ASCII, each with its CR LF. */
  readonly fields?: string;
}

/** Null: it may go on. */
export type Verdict = Denial | null;

export interface Guard {
  check(request: GuardRequest): Verdict;
}
