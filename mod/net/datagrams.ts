/**
 * The seam of datagrams: what a relay sees of a UDP socket, and what a socket calls on a relay. Push style, as
 * `stream.ts`: nothing is awaited, and a datagram that does not leave at once is lost, as on any network.
 */

/** Whoever sent a datagram, for an answer. */
export interface Peer {
  /** The same for the same address and port on one socket. */
  readonly key: string;
  /** Textual IP address; IPv4 also on a socket for both families. */
  readonly host: string;
  readonly port: number;
}

/** Called by a socket; nothing comes after `close`. */
export interface DatagramHandler {
  /** `bytes` is good only during the call; `from` may be kept. */
  onDatagram(bytes: Uint8Array, from: Peer): void;
  /** Nobody listens where a connected socket sends to, or the system says what else is wrong. */
  onProblem(error: Error): void;
}

export interface DatagramSocket {
  readonly port: number;
  /** Begins to take datagrams. */
  receive(handler: DatagramHandler): void;
  /** `to`: a peer of this socket; null: whom it is connected to. False: it was not sent. */
  send(bytes: Uint8Array, to: Peer | null): boolean;
  close(): void;
}

/** Makes sockets; both throw with the reason when one cannot be had. */
export interface DatagramNet {
  /**
   * Bound to an address that may not be on this machine yet, and shared with a process that takes over: of what comes
   * then each gets a part.
   */
  bind(host: string, port: number): DatagramSocket;
  /** Connected to a server: nobody else is heard. */
  connect(host: string, port: number): DatagramSocket;
}

/** The largest that UDP over IPv4 carries, and a bit. */
export const DATAGRAM_BYTES = 65_536;
/** Datagrams taken in one turn, so that others have theirs. */
export const DATAGRAMS_A_TURN = 64;
