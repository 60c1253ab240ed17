/**
 * What becomes of a client's connection: which stages it goes through before its session, by its listener.
 *
 * A listener that needs no stage has none: its connections cost what they did.
 */
import type { Stream } from "../net/stream.ts";
import { allowsAll } from "../guard/access.ts";
import { ClientConnection, type ConnectionOwner } from "./client_connection.ts";
import type { ListenerState } from "./environment.ts";
import { Handshake, type HandshakeOwner } from "./handshake.ts";
import { HeaderStage } from "./header_stage.ts";
import { HelloStage } from "./hello_stage.ts";
import { Http2Connection } from "./http2_connection.ts";
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
  const { tls, proofs, access } = listener.live;
  if (!allowsAll(access, stream.remoteHost)) return new Refusal(owner, listener, stream, "accessDenied");
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
export function openHttp2(owner: SessionOwner, connection: ClientConnection, opening: Uint8Array): Session {
  connection.stream.pause();
  const next = new Http2Connection(owner, connection.listener, connection.stream);
  owner.onReplaced(connection, next);
  next.start();
  next.onData(opening);
  return next;
}
