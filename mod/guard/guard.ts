/**
 * What a guard is: it looks at a request and says whether it may go on. Which guards there are is a table
 * (`guards.ts`); who asks them, one after the other, is `proxy/guarding.ts`. Pure.
 */
import type { IpBytes } from "../base/address.ts";
import type { ErrorCode } from "../base/errors.ts";
import type { Answer } from "../http/answer.ts";
import type { RequestFacts } from "../route/match.ts";
import type { Identity } from "./identity.ts";

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
  /** Milliseconds since 1970, on a clock that all workers share. */
  readonly now: number;
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

/** The request goes on, but not yet. */
export interface Delay {
  readonly kind: "delay";
  readonly ms: number;
  /** What it gives back when it is over. */
  readonly place?: Hold["place"];
}

/** The request is answered here, and nothing is wrong with it. */
export interface Answered {
  readonly kind: "answer";
  readonly answer: Answer;
}

/** The request goes on, and gives something back when it is over. */
export interface Hold {
  readonly kind: "hold";
  readonly place: { release(): void };
}

/** The request goes on, and is of somebody. */
export interface Known {
  readonly kind: "identity";
  readonly identity: Identity;
}

/** The request waits until somebody else has answered. */
export interface Question {
  readonly kind: "ask";
  /** False: nobody can be asked now. `answer` is called later, outside of all other calls. */
  ask(answer: (verdict: Verdict) => void): boolean;
  /** When nobody can be asked, or answers in time. */
  readonly otherwise: Denial;
}

/** Null: it may go on. */
export type Verdict = Denial | Answered | Delay | Hold | Known | Question | null;

export interface Guard {
  check(request: GuardRequest): Verdict;
}
