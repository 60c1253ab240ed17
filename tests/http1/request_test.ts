import { CHUNKED, FIXED, NONE } from "../../mod/http1/body.ts";
import { MAX_NOMINATED } from "../../mod/http1/connection_options.ts";
import { contentLength, readRequest, validHost } from "../../mod/http1/request.ts";
import { fromLatin1 } from "../../mod/http/grammar.ts";
import { assertEquals } from "../assert.ts";
import { request } from "./feed.ts";

/** Outcome of a POST to a valid host with the given further field lines. */
function post(...lines: string[]): string {
  return request(["POST / HTTP/1.1", "Host: a", ...lines, "", ""].join("\r\n")).outcome;
}

function info(...lines: string[]) {
  return request([...lines, "", ""].join("\r\n")).info;
}

Deno.test("readRequest() finds no body, a fixed one, or a chunked one", () => {
  assertEquals(info("GET / HTTP/1.1", "Host: a").framing, NONE);
  const fixed = info("POST / HTTP/1.1", "Host: a", "Content-Length: 42");
  assertEquals([fixed.framing, fixed.contentLength], [FIXED, 42]);
  const empty = info("POST / HTTP/1.1", "Host: a", "content-length:0");
  assertEquals([empty.framing, empty.contentLength], [FIXED, 0]);
  assertEquals(info("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: Chunked").framing, CHUNKED);
});

Deno.test("readRequest() forgets the request before", () => {
  const before = request(
    "HEAD http://a HTTP/1.0\r\nHost: a\r\nConnection: close, x-a\r\nContent-Length: 5\r\n\r\n",
  );
  assertEquals([before.outcome, before.info.close, before.info.emptyPath], ["ok", true, true]);
  const fresh = request("GET /b HTTP/1.1\r\nHost: a\r\n\r\n");
  assertEquals(readRequest(before.info, fresh.head, fresh.bytes), null);
  assertEquals({ ...before.info }, { ...fresh.info });
  const upgrade = request(
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\nExpect: 100-continue\r\n\r\n",
  );
  assertEquals([upgrade.info.upgrade, upgrade.info.expectContinue], [true, true]);
  assertEquals(readRequest(upgrade.info, fresh.head, fresh.bytes), null);
  assertEquals({ ...upgrade.info }, { ...fresh.info });
});

Deno.test("RFC 9112 section 6.1: both Content-Length and Transfer-Encoding", () => {
  assertEquals(post("Content-Length: 5", "Transfer-Encoding: chunked"), "ambiguousFraming");
  assertEquals(post("Transfer-Encoding: chunked", "Content-Length: 5"), "ambiguousFraming");
  assertEquals(post("Transfer-Encoding: chunked", "Content-Length: 0"), "ambiguousFraming");
  assertEquals(post("Transfer-Encoding: chunked", "Content-Length: x"), "ambiguousFraming");
});

Deno.test("RFC 9112 section 6.3: several or malformed Content-Length", () => {
  assertEquals(post("Content-Length: 5", "Content-Length: 5"), "ambiguousFraming");
  assertEquals(post("Content-Length: 5", "Content-Length: 6"), "ambiguousFraming");
  const bad = [
    "",
    "+5",
    "-5",
    "-0",
    "5.0",
    "5e1",
    "0x5",
    "5 5",
    "5, 5",
    "5,5",
    "5,",
    ",5",
    "5;",
    '"5"',
    "'5'",
    "five",
    "5\t5",
    "\xb2",
    "5\xa0",
    "12345678901234567890",
    "99999999999999999999",
    "18446744073709551621",
    "4294967296000000",
    "0000000000000005",
    "1_000",
    "NaN",
    "Infinity",
  ];
  for (const value of bad) assertEquals(post(`Content-Length: ${value}`), "ambiguousFraming", value);
  assertEquals(post("Content-Length: \t 5 \t "), "ok");
  assertEquals(post("Content-Length: 999999999999999"), "ok");
});

Deno.test("RFC 9112 section 6.1: Transfer-Encoding other than exactly chunked", () => {
  const bad = [
    "",
    "identity",
    "gzip",
    "gzip, chunked",
    "chunked, gzip",
    "chunked, chunked",
    "chunked,",
    ",chunked",
    "chunked;q=1",
    "chunked ;",
    '"chunked"',
    "'chunked'",
    "xchunked",
    "chunkedx",
    "chunk",
    "chunked\xa0",
    "c hunked",
    "chunked chunked",
    "chu\xeeked",
    "cow",
  ];
  for (const value of bad) assertEquals(post(`Transfer-Encoding: ${value}`), "ambiguousFraming", value);
  for (const value of ["chunked", "CHUNKED", "cHuNkEd", "\tchunked \t"]) {
    assertEquals(post(`Transfer-Encoding:${value}`), "ok", value);
  }
  assertEquals(post("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), "ambiguousFraming");
  assertEquals(post("Transfer-Encoding: chunked", "Transfer-Encoding: identity"), "ambiguousFraming");
  assertEquals(post("Transfer-Encoding: identity", "Transfer-Encoding: chunked"), "ambiguousFraming");
});

Deno.test("RFC 9112 section 6.1: Transfer-Encoding in an HTTP/1.0 request is faulty framing", () => {
  assertEquals(
    request("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").outcome,
    "ambiguousFraming",
  );
  assertEquals(request("POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\n").outcome, "ok");
});

Deno.test("readRequest() does not let an underscore frame a body", () => {
  assertEquals(info("POST / HTTP/1.1", "Host: a", "Content_Length: 5").framing, NONE);
  assertEquals(info("POST / HTTP/1.1", "Host: a", "Transfer_Encoding: chunked").framing, NONE);
  const both = info("POST / HTTP/1.1", "Host: a", "Content-Length: 5", "Transfer_Encoding: chunked");
  assertEquals([both.framing, both.contentLength], [FIXED, 5]);
});

Deno.test("RFC 9112 section 3.2: exactly one valid Host, which only HTTP/1.0 may leave out", () => {
  assertEquals(request("GET / HTTP/1.1\r\n\r\n").outcome, "badHost");
  assertEquals(request("GET http://a/ HTTP/1.1\r\n\r\n").outcome, "badHost");
  assertEquals(request("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n").outcome, "badHost");
  assertEquals(request("GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n").outcome, "badHost");
  assertEquals(request("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n").outcome, "badHost");
  assertEquals(request("GET / HTTP/1.1\r\nHost:\r\n\r\n").outcome, "badHost");
  assertEquals(request("GET / HTTP/1.0\r\nHost:\r\n\r\n").outcome, "badHost");
  const old = request("GET / HTTP/1.0\r\n\r\n");
  assertEquals([old.outcome, old.info.hostStart, old.info.hostEnd], ["ok", 0, 0]);
  const named = request("GET / HTTP/1.1\r\nHost:  a.example:8080 \r\n\r\n");
  assertEquals(named.text(named.info.hostStart, named.info.hostEnd), "a.example:8080");
});

Deno.test("validHost() takes names, addresses and ports, and nothing that could be read otherwise", () => {
  const valid = (text: string) => validHost(fromLatin1(`:${text}:80`), 1, 1 + text.length);
  const good = [
    "a",
    "A.example",
    "a.example:80",
    "a:",
    "a:0",
    "a:65535",
    "127.0.0.1",
    "127.0.0.1:8080",
    "[::1]",
  ];
  good.push(
    "[::1]:80",
    "[2001:db8::1]",
    "[::ffff:192.0.2.1]",
    "xn--bcher-kva.example",
    "a_b.example",
    "a~!$&'()*+;=",
  );
  for (const text of good) assertEquals(valid(text), true, text);
  const bad = [
    "",
    ":",
    ":80",
    "a b",
    "a,b",
    "a/b",
    "a/",
    "/",
    "a?b",
    "a@b",
    "user@a:80",
    "a:b",
    "a:80:80",
    "a:-1",
    "a:+80",
  ];
  bad.push(
    "a:80a",
    "a:65536",
    "a:99999",
    "a:000080",
    "a:8 0",
    "a\tb",
    "a\\b",
    "b\xfccher",
    "a%2eb",
    'a"',
    "<a>",
    "a|b",
  );
  bad.push(
    "[",
    "[]",
    "[::1",
    "::1",
    "::1]",
    "[::1]a",
    "[::1]80",
    "[::1]:",
    "[::1]:a",
    "[g::1]",
    "[:]",
    "[::::]",
    "[1.2.3.4]",
  );
  bad.push("[[::1]]", "[::1%eth0]", "[v1.a]", "a[::1]", "[::1][::1]", "[a]");
  // An empty port stands for the default one, behind brackets too.
  for (const text of bad) assertEquals(valid(text), text === "[::1]:", text);
});

Deno.test("RFC 9112 section 3.2: origin form, absolute form and OPTIONS *", () => {
  const path = (raw: string) => {
    const { info, text, head, outcome } = request(`${raw}\r\n\r\n`);
    if (outcome !== "ok") return outcome;
    return [text(info.pathStart, info.pathEnd), text(info.pathEnd, head.targetEnd), info.emptyPath];
  };
  assertEquals(path("GET / HTTP/1.1\r\nHost: a"), ["/", "", false]);
  assertEquals(path("GET /a/b?c=d?e HTTP/1.1\r\nHost: a"), ["/a/b", "?c=d?e", false]);
  assertEquals(path("GET /? HTTP/1.1\r\nHost: a"), ["/", "?", false]);
  assertEquals(path("GET //x HTTP/1.1\r\nHost: a\r\nX: ?"), ["//x", "", false]);
  assertEquals(path("OPTIONS * HTTP/1.1\r\nHost: a"), ["*", "", false]);
  assertEquals(path("GET http://a/b?c HTTP/1.1\r\nHost: a"), ["/b", "?c", false]);
  assertEquals(path("GET HTTP://A.Example:80/b HTTP/1.1\r\nHost: a.eXAMPLE:80"), ["/b", "", false]);
  assertEquals(path("GET https://a/b HTTP/1.1\r\nHost: a"), ["/b", "", false]);
  assertEquals(path("GET http://a HTTP/1.1\r\nHost: a"), ["", "", true]);
  assertEquals(path("GET http://a?b=/c HTTP/1.1\r\nHost: a"), ["", "?b=/c", true]);
  assertEquals(path("GET http://[::1]:80/b HTTP/1.1\r\nHost: [::1]:80"), ["/b", "", false]);
});

Deno.test("RFC 9112 section 3.2.2: the authority of an absolute form must be the Host", () => {
  const outcome = (target: string, host: string) =>
    request(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`).outcome;
  assertEquals(outcome("http://a/", "b"), "badHost");
  assertEquals(outcome("http://a:80/", "a"), "badHost");
  assertEquals(outcome("http://a.evil/", "a"), "badHost");
  assertEquals(outcome("http://a/", "a.evil"), "badHost");
  assertEquals(request("GET http://a/x HTTP/1.0\r\n\r\n").outcome, "badHost");
  assertEquals(request("GET http://a/x HTTP/1.0\r\nHost: a\r\n\r\n").outcome, "ok");
  const bad = [
    "http:/a/",
    "http:///a",
    "http://",
    "http://?x",
    "http://user@a/",
    "http://a@b/",
    "http://a,b/",
    "http://a:b/",
    "http://a%2f/",
    "ftp://a/",
    "javascript:a",
    "a",
    "a:80",
    "a/b",
    "*a",
    "**",
    "?x",
    "http",
    "ws://a/",
    "\\a",
    "@a",
    "httpx://a/",
  ];
  for (const target of bad) assertEquals(outcome(target, "a"), "badRequest", target);
  assertEquals(outcome("*", "a"), "badRequest");
});

Deno.test("RFC 9110 section 9.3.6: CONNECT is not for a reverse proxy", () => {
  for (const target of ["a:443", "/", "http://a/", "*"]) {
    assertEquals(
      request(`CONNECT ${target} HTTP/1.1\r\nHost: a\r\n\r\n`).outcome,
      "methodUnsupported",
      target,
    );
  }
  assertEquals(request("CONNECTS / HTTP/1.1\r\nHost: a\r\n\r\n").outcome, "ok");
  assertEquals(request("connect / HTTP/1.1\r\nHost: a\r\n\r\n").outcome, "ok");
});

Deno.test("RFC 9112 section 9.3: persistence, in which close wins over everything", () => {
  const keepAlive = (version: string, ...options: string[]) =>
    info(`GET / HTTP/1.${version}`, "Host: a", ...options.map((value) => `Connection: ${value}`)).keepAlive;
  assertEquals(keepAlive("1"), true);
  assertEquals(keepAlive("1", "close"), false);
  assertEquals(keepAlive("1", "CLOSE"), false);
  assertEquals(keepAlive("1", "keep-alive"), true);
  assertEquals(keepAlive("1", "closed, x-close"), true);
  assertEquals(keepAlive("0"), false);
  assertEquals(keepAlive("0", "keep-alive"), true);
  assertEquals(keepAlive("0", "Keep-Alive"), true);
  assertEquals(keepAlive("0", "close"), false);
  for (const version of ["0", "1"]) {
    assertEquals(keepAlive(version, "close, keep-alive"), false);
    assertEquals(keepAlive(version, "keep-alive, close"), false);
    assertEquals(keepAlive(version, "keep-alive", "close"), false);
    assertEquals(keepAlive(version, "close", "keep-alive"), false);
  }
});

Deno.test("RFC 9110 section 7.6.1: Connection is a list of tokens, and nominates fields", () => {
  const nominated = (value: string) => info("GET / HTTP/1.1", "Host: a", `Connection: ${value}`).nominated;
  assertEquals(nominated("keep-alive"), null);
  assertEquals(nominated("X-A, ,, keep-alive ,\tx-B"), ["x-a", "x-b"]);
  assertEquals(nominated(""), null);
  assertEquals(nominated(","), null);
  const most = Array.from({ length: MAX_NOMINATED }, (_, at) => `x-${at}`);
  assertEquals(nominated(most.join()), most);
  assertEquals(post(`Connection: ${most.join()}`, "Connection: x-more"), "badRequest");
  for (const value of ["a b", "close keep-alive", "a;b", '"close"', "a=b", "(close)", "cl\xf6se", "a/b"]) {
    assertEquals(post(`Connection: ${value}`), "badRequest", value);
  }
});

Deno.test("RFC 9110 section 7.8: Upgrade counts only with its option, in HTTP/1.1, and never to h2c", () => {
  const upgrade = (version: string, ...lines: string[]) =>
    info(`GET / HTTP/1.${version}`, "Host: a", ...lines).upgrade;
  assertEquals(upgrade("1", "Connection: Upgrade", "Upgrade: websocket"), true);
  assertEquals(upgrade("1", "Upgrade: websocket", "Connection: keep-alive, upgrade"), true);
  assertEquals(upgrade("1", "Connection: upgrade"), false);
  assertEquals(upgrade("1", "Upgrade: websocket"), false);
  assertEquals(upgrade("1", "Connection: upgrade", "Upgrade:"), false);
  assertEquals(upgrade("0", "Connection: upgrade", "Upgrade: websocket"), false);
  for (const value of ["h2c", "H2C", "websocket, h2c", "h2c,websocket", "h2c/1"]) {
    assertEquals(upgrade("1", "Connection: upgrade, http2-settings", `Upgrade: ${value}`), false, value);
  }
  assertEquals(upgrade("1", "Connection: upgrade", "Upgrade: h2c", "Upgrade: websocket"), false);
  assertEquals(upgrade("1", "Connection: upgrade", "Upgrade: h2cx"), true);
});

Deno.test("RFC 9110 section 10.1.1: the only expectation is 100-continue, which HTTP/1.0 cannot have", () => {
  const expects = (version: string, value: string) => {
    const { outcome, info } = request(`POST / HTTP/1.${version}\r\nHost: a\r\nExpect: ${value}\r\n\r\n`);
    return outcome === "ok" ? info.expectContinue : outcome;
  };
  assertEquals(expects("1", "100-continue"), true);
  assertEquals(expects("1", "100-Continue"), true);
  assertEquals(expects("0", "100-continue"), false);
  for (const value of ["", "100-continued", "200-ok", "100-continue, x", "100 continue"]) {
    assertEquals(expects("1", value), "expectUnsupported", value);
  }
});

Deno.test("RFC 9110 section 9.2.2: the idempotent methods, case-sensitive", () => {
  const method = (name: string) => {
    const read = info(`${name} / HTTP/1.1`, "Host: a");
    return [read.idempotent, read.isHead];
  };
  for (const name of ["GET", "PUT", "DELETE", "OPTIONS", "TRACE"]) {
    assertEquals(method(name), [true, false], name);
  }
  assertEquals(method("HEAD"), [true, true]);
  const others = [
    "POST",
    "PATCH",
    "get",
    "head",
    "GETS",
    "GE",
    "HEADS",
    "XHEAD",
    "Get",
    "PU",
    "DELET",
    "TRACES",
  ];
  for (const name of others) assertEquals(method(name), [false, false], name);
});

Deno.test("contentLength() reads a range of digits and nothing outside it", () => {
  const bytes = fromLatin1("91239");
  assertEquals(contentLength(bytes, 1, 4), 123);
  assertEquals(contentLength(bytes, 1, 1), -1);
  assertEquals(contentLength(fromLatin1("9".repeat(15)), 0, 15), 999_999_999_999_999);
  assertEquals(contentLength(fromLatin1("1".repeat(16)), 0, 16), -1);
});
