/**
 * What a black-box case of HTTP/1 says: bytes to send, what the client may get, what may reach the server. And the
 * few words in which most cases are written.
 */

export interface ExpectedRequest {
  /** The whole request line. */
  readonly line: string;
  readonly body?: string;
  /** Field lines that must be there exactly once: `name: value`, or `name:` for any value. */
  readonly has?: readonly string[];
  /** Names that must not be there. */
  readonly lacks?: readonly string[];
  /** Trailer lines, all of them. */
  readonly trailers?: readonly string[];
}

export interface ExpectedAnswer {
  /** Statuses that are right. */
  readonly status: readonly number[];
  readonly body?: string;
  readonly has?: readonly string[];
  readonly lacks?: readonly string[];
}

export interface Case {
  /** RFC section, or the attack's name, and what is special. Unique. */
  readonly name: string;
  /** Latin-1; several are sent one after the other, each once the one before had an effect. */
  readonly send: readonly string[];
  /** The client sends FIN after it. */
  readonly finish?: boolean;
  readonly trusted?: boolean;
  /** Methods of the requests, in order, where not all answers have bodies. */
  readonly methods?: readonly string[];
  readonly answers: readonly ExpectedAnswer[];
  /** Interim answers (1xx) that the client must get, in order, before the first final one. */
  readonly interim?: readonly number[];
  /** True: closed after the answers. False: still good for another request. */
  readonly closed: boolean;
  /** The last answer may also be missing or end in the middle: a broken-off answer is no poisoned one. */
  readonly mayBreakOff?: boolean;
  /** Complete requests that reach the server, in order. */
  readonly requests: readonly ExpectedRequest[];
  /** A part of one more request may reach the server: a body was found to be malformed on the way. */
  readonly partial?: boolean;
  /** The one request may reach the server again, on another connection. */
  readonly repeats?: boolean;
  /** What the server answers instead of a plain 200, raw. */
  readonly reply?: readonly string[];
  readonly replyAtHead?: boolean;
  readonly replyThenClose?: boolean;
}

type Rest = Partial<Case>;

/** Lines joined to a head. */
export function head(...lines: readonly string[]): string {
  return [...lines, "", ""].join("\r\n");
}

/** A POST to host a with further field lines and what stands behind the head. */
export function post(lines: readonly string[], behind = ""): string {
  return head("POST / HTTP/1.1", "Host: a", ...lines) + behind;
}

/** A GET to host a with further field lines. */
export function get(...lines: readonly string[]): string {
  return head("GET / HTTP/1.1", "Host: a", ...lines);
}

/** What an attacker would like to be taken for a request of its own. */
export const EVIL = "GET /evil HTTP/1.1\r\nHost: a\r\n\r\n";

/** Refused before anything reaches a server. */
export function refused(
  name: string,
  send: string,
  status: readonly number[] = [400],
  rest: Rest = {},
): Case {
  return { name, send: [send], answers: [{ status }], closed: true, requests: [], ...rest };
}

/** Refused in the middle of its body, of which a part may have reached the server. */
export function refusedMidway(name: string, send: string, rest: Rest = {}): Case {
  return refused(name, send, [400], { partial: true, ...rest });
}

/** One request that passes, and what of it must reach the server. */
export function passed(
  name: string,
  send: string,
  request: Partial<ExpectedRequest> = {},
  rest: Rest = {},
): Case {
  const line = send.slice(0, send.indexOf("\r\n"));
  return {
    name,
    send: [send],
    answers: [{ status: [200] }],
    closed: false,
    requests: [{ line, ...request }],
    ...rest,
  };
}

/** A plain GET, and what becomes of the server's answer. */
export function answered(
  name: string,
  reply: string | readonly string[],
  answer: ExpectedAnswer,
  rest: Rest = {},
): Case {
  return {
    name,
    send: [get()],
    answers: [answer],
    closed: false,
    requests: [{ line: "GET / HTTP/1.1" }],
    reply: typeof reply === "string" ? [reply] : reply,
    ...rest,
  };
}

/** A plain GET whose answer cannot be used. */
export function badGateway(name: string, reply: string | readonly string[], rest: Rest = {}): Case {
  return answered(name, reply, { status: [502] }, rest);
}

/** A text with control bytes and quotes, fit for a name. */
export function shown(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}
