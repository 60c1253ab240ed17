/**
 * HTTP/1 messages read from text, naively and strictly: the tests' own second opinion. It shares no code with the
 * proxy's codec, so that a mistake there is not repeated here. One character is one byte (Latin-1).
 */

export interface Message {
  /** Request line or status line. */
  readonly first: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  readonly trailers: readonly (readonly [name: string, value: string])[];
}

/** How a message without a length ends: a request has then no body, a response goes on until the end. */
export interface Ending {
  readonly kind: "request" | "response";
  /** The response answers this method; HEAD has no body. */
  readonly method?: string;
  /** The sender has closed. */
  readonly ended?: boolean;
}

/** The first message of `text` and what follows it; null when it is not complete. Throws when it is malformed. */
export function takeMessage(text: string, ending: Ending): { message: Message; rest: string } | null {
  const headEnd = text.indexOf("\r\n\r\n");
  if (headEnd < 0) return null;
  const [first = "", ...lines] = text.slice(0, headEnd).split("\r\n");
  const pattern = ending.kind === "request" ? /^[!-~]+ [!-~]+ HTTP\/1\.[01]$/ : /^HTTP\/1\.[01] \d{3}( .*)?$/;
  if (!pattern.test(first)) throw new Error(`Cannot read the first line ${JSON.stringify(first)}`);
  const fields = lines.map(readField);
  const from = text.slice(headEnd + 4);
  const found = takeBody(from, first, fields, ending);
  if (found === null) return null;
  const [body, rest, trailers] = found;
  return { message: { first, fields, body, trailers }, rest };
}

/** All values of a field, in order. */
export function values(message: Message, name: string): string[] {
  return message.fields.filter(([given]) => given.toLowerCase() === name.toLowerCase()).map(([, value]) =>
    value
  );
}

/** Status of a response; 0 for a request. */
export function statusOf(message: Message): number {
  return Number(/^HTTP\/1\.[01] (\d{3})/.exec(message.first)?.[1] ?? 0);
}

function readField(line: string): readonly [string, string] {
  const found = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*(.*?)[ \t]*$/.exec(line);
  // deno-lint-ignore no-control-regex -- control bytes are what is looked for
  if (found === null || /[\0-\x08\x0a-\x1f\x7f]/.test(line)) {
    throw new Error(`Cannot read the field ${JSON.stringify(line)}`);
  }
  return [found[1]!, found[2]!];
}

function takeBody(
  text: string,
  first: string,
  fields: readonly (readonly [string, string])[],
  ending: Ending,
): [body: string, rest: string, trailers: (readonly [string, string])[]] | null {
  const named = (name: string) =>
    fields.filter(([given]) => given.toLowerCase() === name).map(([, value]) => value);
  const lengths = named("content-length"), codings = named("transfer-encoding");
  if (lengths.length + codings.length > 1) throw new Error("Cannot frame a message in two ways");
  if (ending.kind === "response") {
    const status = Number(first.slice(9, 12));
    if (ending.method === "HEAD" || status < 200 || status === 204 || status === 304) return ["", text, []];
  }
  if (codings.length === 1) {
    if (codings[0] !== "chunked") throw new Error(`Cannot read the coding ${codings[0]}`);
    return takeChunks(text);
  }
  if (lengths.length === 1) {
    if (!/^\d{1,15}$/.test(lengths[0]!)) throw new Error(`Cannot read the length ${lengths[0]}`);
    const length = Number(lengths[0]);
    return text.length < length ? null : [text.slice(0, length), text.slice(length), []];
  }
  if (ending.kind === "request") return ["", text, []];
  return ending.ended === true ? [text, "", []] : null;
}

function takeChunks(
  text: string,
): [body: string, rest: string, trailers: (readonly [string, string])[]] | null {
  let at = 0, body = "";
  for (;;) {
    const lineEnd = text.indexOf("\r\n", at);
    if (lineEnd < 0) return null;
    const line = text.slice(at, lineEnd);
    if (!/^[0-9a-fA-F]{1,13}$/.test(line)) {
      throw new Error(`Cannot read the chunk size ${JSON.stringify(line)}`);
    }
    const size = parseInt(line, 16);
    at = lineEnd + 2;
    if (size === 0) break;
    if (text.length < at + size + 2) return null;
    if (text.slice(at + size, at + size + 2) !== "\r\n") throw new Error("Cannot find the end of a chunk");
    body += text.slice(at, at + size);
    at += size + 2;
  }
  const trailers: (readonly [string, string])[] = [];
  for (;;) {
    const lineEnd = text.indexOf("\r\n", at);
    if (lineEnd < 0) return null;
    const line = text.slice(at, lineEnd);
    at = lineEnd + 2;
    if (line === "") return [body, text.slice(at), trailers];
    trailers.push(readField(line));
  }
}
