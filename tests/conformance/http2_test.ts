import { assert, assertEquals } from "../assert.ts";
import { HTTP2_ACCEPTED_CASES } from "./http2_accepted_cases.ts";
import { HTTP2_CASES, type Http2Case } from "./http2_cases.ts";
import {
  ACK,
  codeOf,
  DATA,
  frame,
  GOAWAY,
  HEADERS,
  Http2Client,
  PING,
  PREFACE,
  RST,
  SETTINGS,
} from "./http2_client.ts";
import { RecordingServer } from "./recording_server.ts";
import { startTandem } from "./subject.ts";

const PROBE = "tandem?!";
const CASES = [...HTTP2_CASES, ...HTTP2_ACCEPTED_CASES];

Deno.test("cases() have names of their own", () => {
  const names = CASES.map((each) => each.name);
  assertEquals(names.filter((name, i) => names.indexOf(name) !== i), []);
});

Deno.test("Http2Connection answers as the cases say, from the outside", async (t) => {
  const server = new RecordingServer();
  const tandem = await startTandem(server.port);
  try {
    for (const each of CASES) {
      await t.step({
        name: each.name,
        sanitizeOps: false,
        sanitizeResources: false,
        fn: () => run(each, tandem.address),
      });
      assertEquals(tandem.errors, [], each.name);
    }
  } finally {
    await tandem.close();
    await server.close();
  }
});

async function run(each: Http2Case, address: { hostname: string; port: number }): Promise<void> {
  const client = await Http2Client.connect(address);
  try {
    if (each.bare !== true) await client.send(PREFACE + frame(SETTINGS, 0, 0));
    for (const step of each.send) {
      const [, what, stream] = /^(wait|data) (\d+)$/.exec(step) ?? [];
      if (what === "wait") assertEquals(await client.status(Number(stream)), 200);
      else if (what === "data") {
        assert(await client.frame((one) => one.type === DATA && one.stream === Number(stream)));
      } else if (step === "settings") assert(await client.frame((one) => one.type === SETTINGS));
      else await client.send(step);
    }
    assertEquals(await outcome(each.expect, client), true, `${each.expect}, not ${told(client)}`);
  } finally {
    await client.close();
  }
}

async function outcome(expect: string, client: Http2Client): Promise<boolean> {
  if (expect === "PING") return await alive(client);
  if (expect === "END") return await client.end();
  if (expect === "ACK") {
    const twice = () =>
      client.frames.filter(({ type, flags }) => type === SETTINGS && flags === ACK).length === 2;
    return await client.frame(twice) !== null;
  }
  if (/^\d+$/.test(expect)) {
    await client.frame((one) => one.type === HEADERS);
    const stream = client.frames.findLast((one) => one.type === HEADERS)?.stream ?? 1;
    return await client.status(stream) === Number(expect) && await alive(client);
  }
  const wanted = expect.split("|");
  const end = await client.frame((one) => wanted.includes(name(one)));
  if (end === null) return false;
  // A stream's error is no reason to end the connection; a connection's error is.
  return end.type === GOAWAY ? await client.end() : await alive(client);
}

async function alive(client: Http2Client): Promise<boolean> {
  await client.send(frame(PING, 0, 0, PROBE));
  return await client.frame((one) => one.type === PING && one.flags === ACK && one.payload === PROBE) !==
    null;
}

function name(one: { type: number; flags: number; stream: number; payload: string }): string {
  return one.type === RST ? `RST ${codeOf(one)}` : one.type === GOAWAY ? `GOAWAY ${codeOf(one)}` : "";
}

function told(client: Http2Client): string {
  return client.frames.map((one) => name(one) || `${one.type}:${one.flags}:${one.stream}`).join(" ");
}
