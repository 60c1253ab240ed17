import { assertEquals } from "../assert.ts";
import { errors, poolWith, warnings } from "./reading.ts";

const check = (text: string) => errors(poolWith(`check: { ${text} }`));

Deno.test("CheckSchema() http: headers, bodies and what is expected of them", async () => {
  assertEquals(await check("headers: { Host: a }"), [
    "5:25 «Host» pools.app.check.headers.Host: must not be one of host, content-length, transfer-encoding, connection, which follow from the rest",
  ]);
  assertEquals(await check('headers: { X-A: "a\\nb", "X B": c }'), [
    '5:30 «"a\\nb"» pools.app.check.headers.X-A: must not contain control characters',
    '5:38 «"X B"» pools.app.check.headers["X B"]: must be a header name',
  ]);
  assertEquals(await check('expect: { body: "~(", headers: { a: "" } }'), [
    '5:30 «"~("» pools.app.check.expect.body: the expression is not one of RE2: missing closing ): `(`',
    '5:50 «""» pools.app.check.expect.headers.a: must not be empty, not ""',
  ]);
  assertEquals(await check("method: HEAD, expect: { body: ok }"), [
    "5:44 «ok» pools.app.check.expect.body: cannot be had with method: HEAD, whose answers have no body",
  ]);
});

Deno.test("CheckSchema() steps", async () => {
  assertEquals(await check("type: tcp, steps: [{ send: a, expect: b }, { sendHex: 0 }, { expect: '~[' }]"), [
    "5:33 «{ send: a, expect: b }» pools.app.check.steps[0]: must have one of send, sendHex, expect and expectHex",
    "5:68 «0» pools.app.check.steps[1].sendHex: must be text (in quotes if it looks like something else), not 0",
    "5:83 «'~['» pools.app.check.steps[2].expect: the expression is not one of RE2: missing closing ]: `[`",
  ]);
  assertEquals(await check('type: tcp, steps: [{ sendHex: "0" }]'), [
    '5:44 «"0"» pools.app.check.steps[0].sendHex: must be bytes as pairs of hexadecimal digits, such as 0d0a, not "0"',
  ]);
  assertEquals(await check("type: udp"), ["5:5 «check» pools.app.check.steps: must begin with send"]);
  assertEquals(await check("type: udp, steps: [{ send: a }]"), [
    "5:32 «[{ send: a }]» pools.app.check.steps: must end with expect: a datagram that is only sent says nothing of the server",
  ]);
});

Deno.test("CheckSchema() what is not expected", async () => {
  assertEquals(await check("type: tcp, steps: [{ send: a, not: b }, {}, { not: '~(' }]"), [
    "5:33 «{ send: a, not: b }» pools.app.check.steps[0]: must have `not` beside expect or expectHex, or alone",
    "5:54 «{}» pools.app.check.steps[1]: must have one of send, sendHex, expect and expectHex",
    "5:65 «'~('» pools.app.check.steps[2].not: the expression is not one of RE2: missing closing ): `(`",
  ]);
  assertEquals(await check("type: tcp, steps: [{ not: a }, { expect: b }]"), [
    "5:33 «{ not: a }» pools.app.check.steps[0]: must have expect beside not, or be the last step: else it waits until the server leaves",
  ]);
  assertEquals(await check("type: udp, steps: [{ send: a }, { not: b }]"), [
    "5:32 «[{ send: a }, { not: b }]» pools.app.check.steps: must end with expect: a datagram that is only sent says nothing of the server",
  ]);
  assertEquals(await check("method: HEAD, expect: { not: { status: 600, body: down } }"), [
    '5:53 «600» pools.app.check.expect.not.status: must be a status or a range such as 200-299, not "600"',
  ]);
  assertEquals(await check("method: HEAD, expect: { not: { body: down } }"), [
    "5:51 «down» pools.app.check.expect.not.body: cannot be had with method: HEAD, whose answers have no body",
  ]);
});

Deno.test("checkPools() startTls needs TLS", async () => {
  assertEquals(await check("type: smtp, startTls: true, tls: false"), [
    "5:47 «false» pools.app.check.tls: must not be false with startTls",
  ]);
  assertEquals(await check("type: postgres, startTls: true, tls: { verify: false }"), []);
});

Deno.test("CheckSchema() dns", async () => {
  assertEquals(await check("type: dns"), ["5:5 «check» pools.app.check.name: is required by type dns"]);
  assertEquals(await check('type: dns, name: "a b", record: HINFO, expect: { rcode: ok, answer: x }'), [
    '5:31 «"a b"» pools.app.check.name: must be a name, or "."',
    '5:46 «HINFO» pools.app.check.record: must be one of A, AAAA, CNAME, MX, NS, PTR, SOA, SRV, TXT, not "HINFO"',
    '5:70 «ok» pools.app.check.expect.rcode: must be one of noError, formErr, servFail, nxDomain, notImp, refused, not "ok"',
    "5:82 «x» pools.app.check.expect.answer: must be an IP address",
  ]);
  assertEquals(await check("type: dns, name: a, record: NS, expect: { answer: 10.0.0.1 }"), [
    "5:64 «10.0.0.1» pools.app.check.expect.answer: has no sense with record NS",
  ]);
});

Deno.test("CheckSchema() names and passwords", async () => {
  assertEquals(await check("type: redis, user: a"), [
    "5:33 «a» pools.app.check.user: needs a password",
  ]);
  assertEquals(await check('type: redis, password: ""'), [
    '5:37 «""» pools.app.check.password: must not be empty',
  ]);
  assertEquals(await check('type: mysql, user: "a\\0"'), [
    '5:33 «"a\\0"» pools.app.check.user: must not contain control characters',
  ]);
  assertEquals(await check("type: smtp, hello: a b"), [
    "5:33 «a b» pools.app.check.hello: must be a host name or an IP address",
  ]);
  assertEquals(await check('type: grpc, service: "ä"'), [
    '5:35 «"ä"» pools.app.check.service: must be ASCII, not "ä"',
  ]);
});

Deno.test("checkPools() a setting that only other types of check have", async () => {
  assertEquals(await warnings(poolWith("check: { type: mysql, password: x, steps: [] }")), [
    "5:27 «password» pools.app.check.password: has no effect in a check of type mysql",
    "5:40 «steps» pools.app.check.steps: has no effect in a check of type mysql",
  ]);
  assertEquals(await warnings(poolWith("check: { expect: { rcode: refused } }")), [
    "5:24 «rcode» pools.app.check.expect.rcode: has no effect in a check of type http",
  ]);
  const datagrams = "check: { type: udp, steps: [{ send: a }, { expect: b }], tls: true }";
  assertEquals(await warnings(poolWith(datagrams)), [
    "5:62 «tls» pools.app.check.tls: has no effect in a check of type udp",
  ]);
});

Deno.test("checkPools() TLS where a probe has no use for it", async () => {
  const words = "has no effect, as nothing is said that TLS could carry";
  assertEquals(await warnings(poolWith("check: { type: tcp, tls: true }")), [
    `5:25 «tls» pools.app.check.tls: ${words}`,
  ]);
  assertEquals(await warnings(poolWith("check: { type: dns, name: a, transport: udp, tls: true }")), [
    `5:50 «tls» pools.app.check.tls: ${words}`,
  ]);
  assertEquals(await warnings(poolWith("check: { type: tcp, tls: true, steps: [{ expect: a }] }")), []);
  assertEquals(await warnings(poolWith("check: { type: tcp, tls: false }")), []);
});

Deno.test("AgentSchema() a port, and perhaps an address, a text and times", async () => {
  assertEquals(await errors(poolWith("agent: {}")), [
    "5:5 «agent» pools.app.agent.port: is required: Port that the agent of each server listens on",
  ]);
  assertEquals(await errors(poolWith("agent: { port: 0, host: a, interval: 1ms, sent: x }")), [
    "5:20 «0» pools.app.agent.port: must be a whole number from 1 to 65535, not 0",
    '5:29 «a» pools.app.agent.host: must be an IP address, such as 10.0.0.2, not "a"',
    "5:42 «1ms» pools.app.agent.interval: must be at least 10ms",
    '5:47 «sent» pools.app.agent.sent: is not a known key; did you mean "send"?',
  ]);
});
