/**
 * The probe of every kind of check that is a talk: it carries bytes between the talk and the server, over a plain
 * connection, over TLS or in datagrams, and bounds what the server may say.
 */
import { formatIp, parseIp } from "../base/address.ts";
import { type CheckKind, MAX_ANSWER_BYTES, type Talk } from "./check_kind.ts";
import {
  type Channel,
  connect,
  type Outcome,
  type Probe,
  type ProbeScope,
  type ProbeTarget,
  runProbe,
} from "./probe_io.ts";
import { connectTls, openTls } from "./probe_tls_io.ts";

const READ_BYTES = 4096;
const TOO_MUCH: Outcome = {
  ok: false,
  reason: `the server said more than ${MAX_ANSWER_BYTES} bytes, and nothing that decides`,
};
/** As large as they get. */
const DATAGRAM_BYTES = 65_536;

/** The probe of a kind of check. */
export function probeTalk(kind: CheckKind): Probe {
  return (target, signal) =>
    runProbe(target.check.timeoutMs, signal, async (scope) => {
      const { host, port, check: { settings, tls, http2 = false, datagrams = false } } = target;
      const talk = kind.talk!(settings as never, {
        ...{ host, port, secure: tls !== undefined, http2, datagrams, random: random() },
      });
      if (typeof talk === "string") return { ok: false, reason: talk };
      const channel = await openChannel(target, scope);
      return "reason" in channel ? { ok: false, reason: channel.reason } : await converse(channel, talk);
    });
}

async function converse(channel: Channel, talk: Talk): Promise<Outcome> {
  let turn = talk.begin();
  let size = 0;
  while (true) {
    if (turn.send !== undefined) await channel.write(turn.send);
    if (turn.verdict !== undefined) {
      await channel.end();
      return turn.verdict;
    }
    if (turn.overTls !== undefined) {
      const secure = await channel.startTls!();
      return "reason" in secure ? { ok: false, reason: secure.reason } : await converse(secure, turn.overTls);
    }
    const bytes = await channel.read();
    if (bytes === null) return talk.end();
    size += bytes.length;
    turn = talk.receive(bytes);
    if (size > MAX_ANSWER_BYTES && turn.verdict === undefined) return talk.full?.() ?? TOO_MUCH;
  }
}

async function openChannel(target: ProbeTarget, scope: ProbeScope): Promise<Channel | { reason: string }> {
  const { tls, datagrams, startsTls } = target.check;
  if (datagrams === true) return openDatagrams(target, scope);
  if (tls !== undefined && startsTls !== true) return await connectTls(target, tls, scope);
  const conn = await connect(target, scope);
  conn.setNoDelay(true);
  const buffer = new Uint8Array(READ_BYTES);
  return {
    read: async () => {
      const count = await conn.read(buffer);
      return count === null ? null : buffer.subarray(0, count);
    },
    write: (bytes) => writeAll(conn, bytes),
    // What was written goes out before the end of the connection, which comes at once.
    end: () => Promise.resolve(),
    startTls: () => openTls(conn, target, tls, scope),
  };
}

/** A socket of its own for every probe, so that the kernel draws a new source port each time (RFC 5452). */
function openDatagrams({ host, port }: ProbeTarget, scope: ProbeScope): Channel {
  const wildcard = host.includes(":") ? "::" : "0.0.0.0";
  const socket = Deno.listenDatagram({ transport: "udp", hostname: wildcard, port: 0 });
  scope.closing(() => socket.close());
  const buffer = new Uint8Array(DATAGRAM_BYTES);
  return {
    read: async () => {
      while (true) {
        const [bytes, from] = await socket.receive(buffer);
        if (from.transport === "udp" && from.port === port && sameHost(from.hostname, host)) return bytes;
      }
    },
    write: async (bytes) => void await socket.send(bytes, { transport: "udp", hostname: host, port }),
    end: () => Promise.resolve(),
  };
}

/** Not to be guessed: numbers of questions are drawn from it. */
function random(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]! / 2 ** 32;
}

function sameHost(a: string, b: string): boolean {
  const ip = parseIp(a);
  return ip !== null && formatIp(ip) === b;
}

async function writeAll(conn: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}
