/**
 * What becomes of a client's connection: which stages it goes through before its session, by its listener.
 *
 * A listener that needs no stage has none: its connections cost what they did.
 */
import type { Stream } from "../net/stream.ts";
import { parseIp } from "../base/address.ts";
import { allowsAll } from "../guard/access.ts";
import type { Concurrency, Place } from "../guard/concurrency.ts";
import { plainAddress } from "../http/forwarded.ts";
import { ClientConnection, type ConnectionOwner } from "./client_connection.ts";
import type { ListenerState } from "./environment.ts";
import { Handshake, type HandshakeOwner } from "./handshake.ts";
import { HeaderStage } from "./header_stage.ts";
import { HelloStage } from "./hello_stage.ts";
import { Http2Connection } from "./http2_connection.ts";
import { PlaceHolder } from "./held_place.ts";
import { ProofStage, Proved } from "./proof_stage.ts";
import { Refusal } from "./refusal.ts";
import type { Session } from "./stage.ts";
import { TcpConnection } from "./tcp_connection.ts";

/** What keeps the sessions of a worker. */
export interface SessionOwner extends HandshakeOwner, Pick<ConnectionOwner, "encoder" | "onHttp2"> {}

/** Makes the first that has the connection; it has to be started. */
export function openSession(owner: SessionOwner, listener: ListenerState, stream: Stream): Session {
  const { sendsHeader } = listener.live;
  if (sendsHeader === null || !sendsHeader(stream.remoteHost)) return afterHeader(owner, listener, stream);
  return new HeaderStage(owner, listener, stream, () => afterHeader(owner, listener, stream));
}

function afterHeader(owner: SessionOwner, listener: ListenerState, stream: Stream): Session {
  const { access, connectionLimit } = listener.live;
  if (!allowsAll(access, stream.remoteHost)) return new Refusal(owner, listener, stream, "accessDenied");
  if (connectionLimit === null) return secure(owner, listener, stream);
  const place = takePlace(owner, listener, stream, connectionLimit);
  if (place === null) return new Refusal(owner, listener, stream, "connectionLimited");
  return secure(new PlaceHolder(owner, place, openHttp2), listener, stream);
}

/** Proxies that are believed have many clients, and are not counted. */
function takePlace(
  { environment }: SessionOwner,
  { live }: ListenerState,
  { remoteHost }: Stream,
  limit: Concurrency,
): Place | null {
  const address = plainAddress(remoteHost);
  const key = live.trusts(address) ? null : limit.key.ofAddress(parseIp(address));
  return limit.enter(key, environment.wallClock());
}

function secure(owner: SessionOwner, listener: ListenerState, stream: Stream): Session {
  const { tls, proofs } = listener.live;
  if (tls === null) return serve(owner, listener, stream);
  const handshake = () => new Handshake(owner, listener, stream, tls, (text) => serve(owner, listener, text));
  if (proofs === null) return handshake();
  return new ProofStage(
    owner,
    listener,
    stream,
    (proof) =>
      proof
        ? new Handshake(owner, listener, stream, proofs, (text) => new Proved(owner, listener, text))
        : handshake(),
  );
}

function serve(owner: SessionOwner, listener: ListenerState, stream: Stream): Session {
  const { snapshot, sni } = listener.live;
  if (snapshot.protocol === "http") {
    return stream.tls?.alpn === "h2"
      ? new Http2Connection(owner, listener, stream)
      : new ClientConnection(owner, listener, stream);
  }
  if (sni === null || stream.tls !== undefined) return new TcpConnection(owner, listener, stream, null);
  return new HelloStage(
    owner,
    listener,
    stream,
    (opening) => new TcpConnection(owner, listener, stream, opening),
  );
}

/** Goes on with HTTP/2 where a client began with it. */
export function openHttp2(owner: SessionOwner, connection: ClientConnection, opening: Uint8Array): void {
  connection.stream.pause();
  const next = new Http2Connection(owner, connection.listener, connection.stream);
  owner.onReplaced(connection, next);
  next.start();
  next.onData(opening);
  if (connection.listener.draining) next.drain();
}
