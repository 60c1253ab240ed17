/**
 * The udp transport: datagrams to 224.0.0.18 or ff02::12, port 8112, or to named peers. It knows no packets.
 *
 * Two sockets for multicast: one bound to the group hears, one bound to the interface's own address speaks, for that
 * is how Linux chooses the interface. Loopback is off; what comes from our own address or from outside the subnet is
 * dropped (interfaces.ts says why). What this runtime does not give: the TTL of what was received, on either family, so
 * that a datagram routed from afar is recognised by its sender's address and signature only; and the hop limit of IPv6,
 * which stays at 1 for multicast (ff02:: is never forwarded anyway). TTL 255 is set for IPv4 multicast.
 */
import { formatIp, type IpBytes, parseIp } from "../mod/base/address.ts";
import { reasonOf } from "../mod/base/reason.ts";
import type { DropReason } from "./drops.ts";
import { MAX_DATAGRAM_BYTES } from "./extension.ts";
import { isNeighbour, type LocalAddress } from "./interfaces.ts";
import { VRRP_TTL } from "./packet.ts";
import { sameAddress } from "./vip.ts";

/** Also the port of reports. */
export const UDP_PORT = 8112;
/** 224.0.0.0/24 is never pruned by IGMP snooping; the group of VRRP (RFC 9568 section 5.1.1.2, 5.1.2.2). */
const GROUP_V4 = "224.0.0.18";
const GROUP_V6 = "ff02::12";
/** Reading fails only when the interface goes or memory is short; not to spin then. */
const PAUSE_AFTER_ERROR_MS = 100;

export interface UdpOptions {
  /** The interface by its own address (`localAddress`). */
  readonly local: LocalAddress;
  /** Empty: multicast. */
  readonly peers: readonly IpBytes[];
  readonly port?: number;
  /** `bytes` are good only during the call. */
  readonly onDatagram: (bytes: Uint8Array, source: IpBytes) => void;
  readonly onDropped: (reason: DropReason, source: string) => void;
  /** Reading failed, in words; it goes on. */
  readonly onProblem: (problem: string) => void;
}

export class UdpTransport {
  readonly #options: UdpOptions;
  readonly #listeners: Deno.DatagramConn[];
  readonly #speaker: Deno.DatagramConn;
  readonly #targets: readonly Deno.NetAddr[];
  readonly #loops: Promise<void>[];
  #closed = false;
  #sending: Promise<string | null> = Promise.resolve(null);

  private constructor(options: UdpOptions, listeners: Deno.DatagramConn[], speaker: Deno.DatagramConn) {
    this.#options = options;
    this.#listeners = listeners;
    this.#speaker = speaker;
    const { local, peers, port = UDP_PORT } = options;
    const hosts = peers.length > 0
      ? peers.map((peer) => scoped(formatIp(peer), local))
      : [scoped(local.address.length === 4 ? GROUP_V4 : GROUP_V6, local)];
    this.#targets = hosts.map((hostname) => ({ transport: "udp", hostname, port }));
    this.#loops = listeners.map((listener) => this.#listen(listener));
  }

  /** Opens the sockets and begins to hear. Rejects with what the system refused. */
  static async open(options: UdpOptions): Promise<UdpTransport> {
    const { local, peers, port = UDP_PORT } = options;
    const own = scoped(formatIp(local.address), local);
    const speaker = Deno.listenDatagram({ transport: "udp", hostname: own, port, reuseAddress: true });
    if (peers.length > 0) return new UdpTransport(options, [speaker], speaker);
    const opened = [speaker];
    try {
      // The TTL belongs to a membership, so the speaker joins too; bound to its own address it hears no multicast.
      await join(speaker, local);
      const group = scoped(local.address.length === 4 ? GROUP_V4 : GROUP_V6, local);
      const listener = Deno.listenDatagram({ transport: "udp", hostname: group, port, reuseAddress: true });
      opened.push(listener);
      await join(listener, local);
      return new UdpTransport(options, [listener], speaker);
    } catch (error) {
      for (const socket of opened) socket.close();
      throw error;
    }
  }

  /**
   * Sends to the group, or to every peer, after what was sent before: a datagram that overtook another would make it
   * stale. What failed, in words; nothing failed: null.
   */
  send(bytes: Uint8Array): Promise<string | null> {
    this.#sending = this.#sending.then(() => this.#send(bytes));
    return this.#sending;
  }

  /** Nothing is called after it has resolved. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const socket of new Set([...this.#listeners, this.#speaker])) socket.close();
    await Promise.all(this.#loops);
  }

  async #send(bytes: Uint8Array): Promise<string | null> {
    const sent = await Promise.allSettled(this.#targets.map((target) => this.#speaker.send(bytes, target)));
    const failed = sent.find((result) => result.status === "rejected");
    return failed === undefined ? null : `Cannot send: ${reasonOf(failed.reason)}`;
  }

  async #listen(listener: Deno.DatagramConn): Promise<void> {
    // One byte more than any datagram of ours: a larger one is seen to be larger.
    const buffer = new Uint8Array(MAX_DATAGRAM_BYTES + 1);
    while (!this.#closed) {
      try {
        const [bytes, from] = await listener.receive(buffer);
        if (!this.#closed) this.#take(bytes, (from as Deno.NetAddr).hostname);
      } catch (error) {
        if (this.#closed) return;
        this.#options.onProblem(`Cannot receive: ${reasonOf(error)}`);
        await new Promise((resolve) => setTimeout(resolve, PAUSE_AFTER_ERROR_MS));
      }
    }
  }

  #take(bytes: Uint8Array, host: string): void {
    const { local, peers, onDatagram, onDropped } = this.#options;
    const source = parseIp(host.replace(/%.*$/, ""));
    if (source !== null && sameAddress(source, local.address)) return onDropped("own", host);
    if (source === null || !isNeighbour(local, peers, source)) return onDropped("foreign", host);
    if (bytes.length > MAX_DATAGRAM_BYTES) return onDropped("oversize", host);
    onDatagram(bytes, source);
  }
}

async function join(socket: Deno.DatagramConn, local: LocalAddress): Promise<void> {
  if (local.address.length === 4) {
    const membership = await socket.joinMulticastV4(GROUP_V4, formatIp(local.address));
    await membership.setTTL(VRRP_TTL);
    await membership.setLoopback(false);
  } else {
    const membership = await socket.joinMulticastV6(GROUP_V6, local.scope ?? 0);
    await membership.setLoopback(false);
  }
}

/** A link-local address or group means nothing without its interface. */
function scoped(host: string, local: LocalAddress): string {
  return local.scope !== null && /^(fe[89ab].|ff.2):/i.test(host) ? `${host}%${local.scope}` : host;
}
