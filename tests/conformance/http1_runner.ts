/**
 * Runs a case against a proxy and says everything that is wrong: at the client, at the server, and with the very
 * next request of another client, which must get its own answer whatever happened before.
 */
import type { Case, ExpectedAnswer, ExpectedRequest } from "./http1_case.ts";
import { type Message, statusOf, takeMessage, values } from "./http_text.ts";
import { RawSocket } from "./raw_socket.ts";
import type { RecordingServer } from "./recording_server.ts";

/** For a part of what the client sends to have its effect, before the next one. */
const PART_PAUSE_MS = 2;
/** For bytes that come late to reach the proxy while it holds their connection idle. */
const SETTLE_MS = 40;

/** The proxy that is asked. */
export interface Subject {
  readonly address: { readonly hostname: string; readonly port: number };
  /** A listener that believes its clients. */
  readonly trustedAddress: { readonly hostname: string; readonly port: number };
  /** Holds for every request that reaches the server; the problems found. */
  readonly checkRequest: (request: Message) => string[];
}

let runs = 0;

/** Everything that is wrong; empty when the case holds. */
export async function runCase(each: Case, subject: Subject, server: RecordingServer): Promise<string[]> {
  server.begin({
    reply: each.reply ?? null,
    atHead: each.replyAtHead ?? false,
    thenClose: each.replyThenClose ?? false,
  });
  const client = await RawSocket.connect(each.trusted === true ? subject.trustedAddress : subject.address);
  try {
    const problems = await talk(each, client);
    // The server's record is whole when nothing more can come: the client knows how it ended.
    problems.push(...checkServer(each, subject, server));
    if (arrivesInParts(each)) await pause(SETTLE_MS);
    problems.push(...await probe(subject, server));
    return problems;
  } finally {
    await client.close();
  }
}

async function talk(each: Case, client: RawSocket): Promise<string[]> {
  for (const [i, part] of each.send.entries()) {
    if (i > 0) {
      if (/expect: 100-continue/i.test(each.send[i - 1]!)) await client.until(() => client.received !== "");
      else await pause(PART_PAUSE_MS);
    }
    await client.send(part);
  }
  if (each.finish === true) await client.finish();
  const wanted = each.answers.length;
  await client.until(() => finals(each, client).length >= wanted);
  const problems: string[] = [];
  if (each.closed) {
    await client.until(() => client.ended);
    if (!client.ended) problems.push("the connection is still open");
  } else if (!client.ended) {
    if (arrivesInParts(each)) await pause(SETTLE_MS);
    await client.send("GET /after HTTP/1.1\r\nHost: a\r\n\r\n");
    await client.until(() => finals(each, client).length > wanted);
  }
  return [...problems, ...checkClient(each, client)];
}

function arrivesInParts(each: Case): boolean {
  return each.reply !== undefined && each.reply.length > 1;
}

interface Received {
  readonly interim: readonly number[];
  readonly finals: readonly Message[];
  /** What is no complete message. */
  readonly rest: string;
  readonly problem: string | null;
}

/** The answers that have come so far. */
function receivedBy(each: Case, client: RawSocket): Received {
  const interim: number[] = [];
  const finals: Message[] = [];
  let rest = client.received;
  try {
    while (rest !== "") {
      const method = each.methods?.[finals.length] ?? "GET";
      const taken = takeMessage(rest, { kind: "response", method, ended: client.ended });
      if (taken === null) break;
      rest = taken.rest;
      if (statusOf(taken.message) < 200) interim.push(statusOf(taken.message));
      else finals.push(taken.message);
    }
  } catch (error) {
    return { interim, finals, rest, problem: `${error}` };
  }
  return { interim, finals, rest, problem: null };
}

function finals(each: Case, client: RawSocket): readonly Message[] {
  return receivedBy(each, client).finals;
}

function checkClient(each: Case, client: RawSocket): string[] {
  const { interim, finals, rest, problem } = receivedBy(each, client);
  const problems = problem === null ? [] : [`the client got a malformed answer: ${problem}`];
  const wanted = each.closed ? each.answers.length : each.answers.length + 1;
  const enough = finals.length === wanted || (each.mayBreakOff === true && finals.length < wanted);
  if (!enough) problems.push(`the client got ${finals.length} answers instead of ${wanted}`);
  if (rest !== "" && each.mayBreakOff !== true) {
    problems.push(`the client got ${JSON.stringify(rest.slice(0, 80))} besides`);
  }
  for (const [i, answer] of each.answers.entries()) {
    const message = finals[i];
    if (message !== undefined) problems.push(...checkAnswer(answer, message));
  }
  if (!each.closed && finals.length === wanted && finals.at(-1)!.body !== "/after") {
    problems.push(`the next request on the connection got ${JSON.stringify(finals.at(-1))}`);
  }
  const expectedInterim = each.interim ?? [];
  if (JSON.stringify(interim) !== JSON.stringify(expectedInterim)) {
    problems.push(`the client got interim answers ${interim} instead of ${expectedInterim}`);
  }
  if (client.received.includes("evil") && !each.answers.some((answer) => answer.body?.includes("evil"))) {
    problems.push("the client got an answer that was not meant for it");
  }
  return problems;
}

function checkAnswer(expected: ExpectedAnswer, message: Message): string[] {
  const problems: string[] = [];
  const status = statusOf(message);
  if (!expected.status.includes(status)) {
    problems.push(`the client got ${status} instead of ${expected.status.join(" or ")}`);
  }
  if (expected.body !== undefined && message.body !== expected.body) {
    problems.push(`the answer's body is ${JSON.stringify(message.body.slice(0, 80))}`);
  }
  problems.push(...checkFields("the answer", message, expected.has, expected.lacks));
  if (values(message, "keep-alive").length + values(message, "proxy-connection").length > 0) {
    problems.push("the answer has fields of another hop");
  }
  return problems;
}

function checkServer(each: Case, subject: Subject, server: RecordingServer): string[] {
  const problems: string[] = [];
  const reached = server.requests.filter((request) => !request.first.includes(" /after "));
  const isRepeat = (request: Message, i: number) =>
    each.repeats === true && i > 0 && request.first === reached[0]!.first;
  const requests = reached.filter((request, i) => !isRepeat(request, i));
  if (requests.length !== each.requests.length) {
    problems.push(
      `${requests.length} requests instead of ${each.requests.length} reached the server: ${
        requests.map((request) => request.first).join(", ")
      }`,
    );
  }
  for (const [i, expected] of each.requests.entries()) {
    if (requests[i] !== undefined) problems.push(...checkReached(expected, requests[i]));
  }
  for (const request of server.requests) problems.push(...subject.checkRequest(request));
  if (each.partial === true) return problems;
  problems.push(...server.problems.map((problem) => `the server could not read it: ${problem}`));
  const leftovers = server.leftovers();
  if (leftovers.length > 0) problems.push(`bytes besides reached the server: ${JSON.stringify(leftovers)}`);
  return problems;
}

function checkReached(expected: ExpectedRequest, request: Message): string[] {
  const problems: string[] = [];
  if (request.first !== expected.line) {
    problems.push(`the server got ${JSON.stringify(request.first)} for ${JSON.stringify(expected.line)}`);
  }
  if (expected.body !== undefined && request.body !== expected.body) {
    problems.push(`the server got the body ${JSON.stringify(request.body)}`);
  }
  const trailers = request.trailers.map(([name, value]) => `${name}: ${value}`);
  if (expected.trailers !== undefined && trailers.join() !== expected.trailers.join()) {
    problems.push(`the server got the trailers ${trailers.join()}`);
  }
  return [...problems, ...checkFields("the request", request, expected.has, expected.lacks)];
}

function checkFields(
  what: string,
  message: Message,
  has: readonly string[] = [],
  lacks: readonly string[] = [],
): string[] {
  const problems: string[] = [];
  for (const line of has) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon), value = line.slice(colon + 1).trim();
    const found = values(message, name);
    const right = found.length === 1 && (value === "" || found[0] === value);
    if (!right) {
      problems.push(`${what} has ${name} ${JSON.stringify(found)} instead of ${JSON.stringify(value)}`);
    }
  }
  for (const name of lacks) {
    if (values(message, name).length > 0) problems.push(`${what} has ${name}`);
  }
  return problems;
}

/** Another client asks for something of its own right after. */
async function probe(subject: Subject, server: RecordingServer): Promise<string[]> {
  const path = `/probe-${++runs}`;
  const client = await RawSocket.connect(subject.address);
  try {
    await client.send(`GET ${path} HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n`);
    await client.until(() => client.ended);
    const taken = takeMessage(client.received, { kind: "response", ended: client.ended });
    const status = taken === null ? 0 : statusOf(taken.message);
    const asked = server.requests.filter((request) => request.first === `GET ${path} HTTP/1.1`).length;
    if (status === 200 && taken!.message.body === path && taken!.rest === "" && asked >= 1) return [];
    return [`another client's next request got ${JSON.stringify(client.received)}`];
  } catch (error) {
    return [`another client's next request got something malformed: ${error}`];
  } finally {
    await client.close();
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
