/**
 * The http check over HTTP/1.1.
 *
 * It skips 1xx answers (RFC 9110 section 15.2) and reads no further than it needs for its verdict: mostly the status
 * line. It is as strict as the data plane: a server whose status line cannot be proxied is not healthy. Pure.
 */
import { formatHostPort } from "../../base/address.ts";
import { fromLatin1, latin1, utf8AsLatin1 } from "../../http/grammar.ts";
import { BodyReader, CHUNKED, DATA, FIXED, MALFORMED, NONE, UNTIL_CLOSE } from "../../http1/body.ts";
import { bad, leftEarly, LISTEN, type Talk, type TalkTarget, type Turn } from "../check_kind.ts";
import { Lines } from "../lines.ts";
import type { HttpSettings } from "./http.ts";
import { HttpJudge } from "./http_judge.ts";

/** RFC 9112 section 4. The reason may hold obs-text; the space before an absent reason is often left out. */
const STATUS_LINE = /^HTTP\/1\.[01] ([1-9][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const FIELD_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[\t ]*(.*?)[\t ]*$/;
/** Methods whose requests say their length even if it is 0 (RFC 9110 section 8.6). */
const WITH_LENGTH = ["POST", "PUT", "PATCH"];

/** The request of an http check. */
export function checkRequest(settings: HttpSettings, target: TalkTarget): Uint8Array {
  const { method, path } = settings;
  const lines = requestHeaders(settings).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return fromLatin1(
    `${method} ${utf8AsLatin1(path)} HTTP/1.1\r\nHost: ${authorityOf(settings.host, target)}\r\n${lines}` +
      `Connection: close\r\n\r\n${utf8AsLatin1(settings.body)}`,
  );
}

/** The headers of its request besides those that name server and connection. */
export function requestHeaders({ method, headers, body }: HttpSettings): [string, string][] {
  const given = Object.entries(headers);
  const preset: [string, string][] = [["User-Agent", "tandem-check"], ["Accept", "*/*"]];
  const length = utf8AsLatin1(body).length;
  return [
    ...preset.filter(([name]) => !given.some(([own]) => own.toLowerCase() === name.toLowerCase())),
    ...given,
    ...(length > 0 || WITH_LENGTH.includes(method)
      ? [["Content-Length", String(length)] as [string, string]]
      : []),
  ];
}

/** Name and port as clients write them: IPv6 in brackets, the default port left out (RFC 9110 section 4.2.3). */
export function authorityOf(named: string | undefined, { host, port, secure }: TalkTarget): string {
  if (named !== undefined) return named.includes(":") && !named.startsWith("[") ? `[${named}]` : named;
  const authority = formatHostPort(host, port);
  return port === (secure ? 443 : 80) ? authority.slice(0, authority.lastIndexOf(":")) : authority;
}

export class HttpOver1 implements Talk {
  readonly #request: Uint8Array;
  readonly #method: string;
  readonly #judge: HttpJudge;
  readonly #lines = new Lines();
  readonly #fields = new Map<string, string>();
  readonly #body = new BodyReader();
  #begun = false;
  /** In the fields of a 1xx answer, whose end is an empty line. */
  #skipping = false;
  #status = 0;
  #inBody = false;

  constructor(settings: HttpSettings, target: TalkTarget) {
    this.#request = checkRequest(settings, target);
    this.#method = settings.method;
    this.#judge = new HttpJudge(settings.expect);
  }

  begin(): Turn {
    return { send: this.#request };
  }

  receive(bytes: Uint8Array): Turn {
    this.#begun = true;
    if (this.#inBody) return this.#takeBody(bytes);
    this.#lines.push(bytes);
    for (let line = this.#lines.raw(); line !== null; line = this.#lines.raw()) {
      if (!line.endsWith("\r")) return bad("a line of the answer does not end in CRLF");
      const turn = this.#takeLine(line.slice(0, -1));
      if (turn !== LISTEN) return turn;
      if (this.#inBody) return this.#takeBody(fromLatin1(this.#lines.rest()));
    }
    return LISTEN;
  }

  end() {
    const whole = this.#inBody && this.#body.framing === UNTIL_CLOSE;
    return whole ? this.#judge.onBodyEnd().verdict : leftEarly(this.#begun);
  }

  full() {
    return this.#judge.full();
  }

  #takeLine(line: string): Turn {
    if (this.#status > 0) return line === "" ? this.#takeHead() : this.#takeField(line);
    if (this.#skipping) {
      if (line === "") this.#skipping = false;
      return LISTEN;
    }
    const match = STATUS_LINE.exec(line);
    if (match === null) return bad("the answer does not start with an HTTP/1 status line");
    const status = Number(match[1]);
    if (status === 101) return bad("status 101 without having asked for an upgrade");
    if (status < 200) {
      this.#skipping = true;
      return LISTEN;
    }
    this.#status = status;
    return this.#judge.onStatus(status);
  }

  #takeField(line: string): Turn {
    const match = FIELD_LINE.exec(line);
    if (match === null) return bad("the answer has a malformed header");
    const name = match[1]!.toLowerCase();
    const before = this.#fields.get(name);
    this.#fields.set(name, before === undefined ? match[2]! : `${before}, ${match[2]}`);
    return LISTEN;
  }

  #takeHead(): Turn {
    const length = this.#fields.get("content-length");
    if (/\bchunked$/i.test(this.#fields.get("transfer-encoding") ?? "")) this.#body.start(CHUNKED, 0);
    else if (this.#method === "HEAD" || [204, 304].includes(this.#status)) this.#body.start(NONE, 0);
    else if (length === undefined) this.#body.start(UNTIL_CLOSE, 0);
    else if (!/^[0-9]{1,15}$/.test(length)) return bad("the answer has a malformed header");
    else this.#body.start(FIXED, Number(length));
    this.#inBody = true;
    return this.#judge.onFields(this.#fields);
  }

  #takeBody(bytes: Uint8Array): Turn {
    let at = 0;
    let text = "";
    let step = this.#body.next(bytes, at, bytes.length);
    for (; step === DATA; step = this.#body.next(bytes, at, bytes.length)) {
      text += latin1(bytes, this.#body.dataStart, this.#body.dataEnd);
      at = this.#body.at;
    }
    const turn = this.#judge.onBody(text);
    if (turn !== LISTEN) return turn;
    if (step >= MALFORMED) return bad("the body of the answer is malformed");
    return this.#body.done ? this.#judge.onBodyEnd() : LISTEN;
  }
}
