/**
 * One question to the nameservers: over UDP, over TCP when the answer was truncated, in rounds until one answers.
 *
 * A socket of its own for every try, so that the kernel draws a new source port each time (RFC 5452). What comes
 * from another address, or answers another question, is passed over. It knows no search domains and no caching.
 */
import { formatIp, parseIp } from "../base/address.ts";
import { reasonOf } from "../base/reason.ts";
import { decodeAnswer, type Decoded, encodeQuery, type Question, type RecordType } from "./dns_message.ts";

export interface Nameservers {
  /** Canonical IP addresses, asked in this order. */
  readonly hosts: readonly string[];
  readonly port: number;
  /** For one try. */
  readonly timeoutMs: number;
  readonly attempts: number;
}

export type Answer = Extract<Decoded, { kind: "found" | "none" | "failed" }>;

/** The largest UDP answer without EDNS is 512 bytes (RFC 1035 section 4.2.1); some servers send more. */
const UDP_BYTES = 4096;

/** Asks until a server knows; never rejects. Aborting `signal` ends it soon. */
export async function queryDns(
  name: string,
  type: RecordType,
  servers: Nameservers,
  signal: AbortSignal,
): Promise<Answer> {
  let last: Answer = { kind: "failed", reason: "the lookup was cancelled" };
  for (let attempt = 0; attempt < servers.attempts; attempt++) {
    for (const host of servers.hosts) {
      if (signal.aborted) return last;
      const answer = await ask(name, type, host, servers, signal);
      if (answer.kind !== "failed") return answer;
      last = { kind: "failed", reason: `${name} ${type} from ${host}: ${answer.reason}` };
    }
  }
  return last;
}

async function ask(
  name: string,
  type: RecordType,
  host: string,
  { port, timeoutMs }: Nameservers,
  signal: AbortSignal,
): Promise<Answer> {
  const question = { id: crypto.getRandomValues(new Uint16Array(1))[0]!, name, type };
  const query = encodeQuery(question);
  if (query === null) return { kind: "none", reason: `${name} cannot be a name` };
  const address: Deno.NetAddr = { transport: "udp", hostname: host, port };
  try {
    return await within(timeoutMs, signal, async (limit) => {
      const answer = await askUdp(query, question, address, limit);
      if (answer.kind !== "truncated") return answer;
      const whole = await askTcp(query, question, address, limit);
      return whole.kind === "truncated" ? { kind: "failed", reason: "truncated over TCP" } : whole;
    });
  } catch (error) {
    return { kind: "failed", reason: reasonOf(error) };
  }
}

type AnswerOrTruncated = Exclude<Decoded, { kind: "other" }>;

async function askUdp(
  query: Uint8Array,
  question: Question,
  server: Deno.NetAddr,
  limit: AbortSignal,
): Promise<AnswerOrTruncated> {
  const wildcard = server.hostname.includes(":") ? "::" : "0.0.0.0";
  using socket = closing(Deno.listenDatagram({ transport: "udp", hostname: wildcard, port: 0 }), limit);
  await socket.it.send(query, server);
  const buffer = new Uint8Array(UDP_BYTES);
  while (true) {
    const [bytes, from] = await socket.it.receive(buffer);
    if (from.transport !== "udp" || from.port !== server.port || !sameHost(from.hostname, server.hostname)) {
      continue;
    }
    const answer = decodeAnswer(bytes, question);
    if (answer.kind !== "other") return answer;
  }
}

/** RFC 1035 section 4.2.2: a length of two bytes before each message. */
async function askTcp(
  query: Uint8Array,
  question: Question,
  { hostname, port }: Deno.NetAddr,
  limit: AbortSignal,
): Promise<AnswerOrTruncated> {
  using conn = closing(await Deno.connect({ hostname, port, signal: limit }), limit);
  const framed = new Uint8Array(2 + query.length);
  new DataView(framed.buffer).setUint16(0, query.length);
  framed.set(query, 2);
  for (let at = 0; at < framed.length;) at += await conn.it.write(framed.subarray(at));
  const length = new DataView((await readExactly(conn.it, 2)).buffer).getUint16(0);
  const answer = decodeAnswer(await readExactly(conn.it, length), question);
  return answer.kind === "other" ? { kind: "failed", reason: "an answer to another question" } : answer;
}

async function readExactly(conn: Deno.TcpConn, size: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size;) {
    const count = await conn.read(bytes.subarray(at));
    if (count === null) throw new Error("the nameserver broke off its answer");
    at += count;
  }
  return bytes;
}

function sameHost(a: string, b: string): boolean {
  const ip = parseIp(a);
  return ip !== null && formatIp(ip) === b;
}

/** Runs `body` with a signal that fires after `timeoutMs` and with `signal`; says which it was. */
async function within<Result>(
  timeoutMs: number,
  signal: AbortSignal,
  body: (limit: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const limit = new AbortController();
  const onAbort = () => limit.abort();
  const timer = setTimeout(onAbort, timeoutMs);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await body(limit.signal);
  } catch (error) {
    if (!limit.signal.aborted) throw error;
    throw new Error(signal.aborted ? "the lookup was cancelled" : `no answer within ${timeoutMs} ms`);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

/** Closes a socket at the end of the block, or as soon as `limit` fires, which ends what waits on it. */
function closing<Socket extends { close(): void }>(socket: Socket, limit: AbortSignal) {
  let open = true;
  const close = () => {
    if (open) socket.close();
    open = false;
  };
  limit.addEventListener("abort", close, { once: true });
  if (limit.aborted) close();
  return {
    it: socket,
    [Symbol.dispose]() {
      limit.removeEventListener("abort", close);
      close();
    },
  };
}
