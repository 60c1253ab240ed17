/** UDP in memory: sockets whose other ends the test holds. */
import type { DatagramHandler, DatagramNet, DatagramSocket, Peer } from "../../mod/net/datagrams.ts";

export class SimDatagrams implements DatagramSocket {
  readonly port = 53;
  readonly sent: { readonly text: string; readonly to: string }[] = [];
  closed = false;
  handler: DatagramHandler | null = null;

  /** `server`: whom it is connected to. */
  constructor(readonly server = "") {}

  receive(handler: DatagramHandler): void {
    this.handler = handler;
  }

  send(bytes: Uint8Array, to: Peer | null): boolean {
    this.sent.push({ text: new TextDecoder().decode(bytes), to: to === null ? this.server : to.key });
    return true;
  }

  close(): void {
    this.closed = true;
  }

  /** A datagram comes. */
  get(text: string, from = ""): void {
    const [host = "", port] = from.split(" ");
    this.handler!.onDatagram(new TextEncoder().encode(text), { key: from, host, port: Number(port) });
  }
}

export class SimDatagramNet implements DatagramNet {
  /** Sockets to servers, in the order in which they were made. */
  readonly sockets: SimDatagrams[] = [];
  refuses = false;

  bind(): DatagramSocket {
    return new SimDatagrams();
  }

  connect(host: string, port: number): DatagramSocket {
    if (this.refuses) throw new Error("the network is unreachable");
    const socket = new SimDatagrams(`${host} ${port}`);
    this.sockets.push(socket);
    return socket;
  }
}
