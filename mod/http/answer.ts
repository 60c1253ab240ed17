/**
 * Tandem's own answers: small, complete, with a length, and safe to show whatever the request was.
 * Their text never repeats bytes of the request.
 */

/** Reason phrases of the statuses that Tandem itself sends (RFC 9110 section 15, RFC 6585). */
const REASONS: Record<number, string> = {
  200: "OK",
  201: "Created",
  202: "Accepted",
  204: "No Content",
  206: "Partial Content",
  301: "Moved Permanently",
  302: "Found",
  303: "See Other",
  304: "Not Modified",
  307: "Temporary Redirect",
  308: "Permanent Redirect",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  410: "Gone",
  412: "Precondition Failed",
  413: "Content Too Large",
  414: "URI Too Long",
  416: "Range Not Satisfiable",
  417: "Expectation Failed",
  418: "I'm a teapot",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  451: "Unavailable For Legal Reasons",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
};

export interface Answer {
  readonly status: number;
  readonly body: string;
  /** The body as it is encoded; absent: as it is. */
  readonly bytes?: Uint8Array;
  readonly contentType: string;
  /** For a redirect; already checked to be one line. */
  readonly location?: string;
  /** With a 405: which methods are allowed (RFC 9110 section 15.5.6). */
  readonly allow?: string;
  /** Further field lines, ASCII, each with its CR LF. */
  readonly fields?: string;
}

/** The page of an error: status, name and one sentence of our own. */
export function errorAnswer(status: number, sentence: string): Answer {
  return {
    status,
    body: `${status} ${REASONS[status] ?? "Error"}: ${sentence}\n`,
    contentType: "text/plain; charset=utf-8",
    // The only resources of our own that know methods are files.
    ...(status === 405 ? { allow: "GET, HEAD" } : {}),
  };
}

/** gRPC's numbers for the statuses of HTTP that stand for failed calls; all others are UNKNOWN (2). */
const GRPC_STATUS: Readonly<Record<number, number>> = {
  400: 13,
  401: 16,
  403: 7,
  404: 12,
  429: 14,
  502: 14,
  503: 14,
  504: 14,
};

/** An error for a client of gRPC: trailers alone, on a 200 (PROTOCOL-HTTP2, Responses). */
export function grpcAnswer(status: number, sentence: string): Answer {
  const fields = `grpc-status: ${GRPC_STATUS[status] ?? 2}\r\ngrpc-message: ${
    sentence.replaceAll("%", "%25")
  }\r\n`;
  return { status: 200, body: "", contentType: "application/grpc", fields };
}

/** Makes another head of a whole one of our own, its empty line included. ASCII in, ASCII out. */
export type Amend = (head: string) => string;

const encoder = new TextEncoder();
const NOTHING = new Uint8Array(0);

/**
 * Bytes of an answer. `date`: the value of `Date`, which an origin must send (RFC 9110 section 6.6.1).
 * `hsts`: value of `Strict-Transport-Security`, or empty. `bodyless`: it answers a HEAD request, so that the length stays and the body goes.
 * `amend`: what rules make of the head.
 */
export function answerBytes(
  answer: Answer,
  options: {
    readonly date: string;
    readonly keepAlive: boolean;
    readonly minor: number;
    readonly bodyless: boolean;
    readonly hsts: string;
    readonly amend?: Amend | null;
  },
): Uint8Array {
  const { status } = answer;
  const empty = status === 204 || status === 304;
  const body = empty ? NOTHING : answer.bytes ?? encoder.encode(answer.body);
  let head = `HTTP/1.1 ${status} ${REASONS[status] ?? ""}\r\nDate: ${options.date}\r\n`;
  if (answer.location !== undefined) head += `Location: ${answer.location}\r\n`;
  if (answer.allow !== undefined) head += `Allow: ${answer.allow}\r\n`;
  head += answer.fields ?? "";
  if (!empty) head += `Content-Type: ${answer.contentType}\r\nContent-Length: ${body.length}\r\n`;
  if (options.hsts !== "") head += `Strict-Transport-Security: ${options.hsts}\r\n`;
  if (status >= 400) head += "Cache-Control: no-store\r\n";
  if (!options.keepAlive) head += "Connection: close\r\n";
  else if (options.minor === 0) head += "Connection: keep-alive\r\n";
  head += "\r\n";
  const start = encoder.encode(options.amend ? options.amend(head) : head);
  if (options.bodyless || body.length === 0) return start;
  const all = new Uint8Array(start.length + body.length);
  all.set(start);
  all.set(body, start.length);
  return all;
}
