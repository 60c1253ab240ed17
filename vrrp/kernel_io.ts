/**
 * What all virtual routers of a node share of the kernel: libc, the one poller, link and address events, the ways to
 * set addresses and to announce them.
 */
import type { IpBytes } from "../mod/base/address.ts";
import { openLibc } from "../mod/base/libc_io.ts";
import { reasonOf } from "../mod/base/reason.ts";
import { type AddressWriter, netlinkWriter } from "./address_writer_io.ts";
import { Announcer } from "./announce_io.ts";
import { type LinkHandler, LinkWatch } from "./link_io.ts";
import { Macvlan } from "./macvlan_io.ts";
import type { Link } from "./netlink.ts";
import { Poller } from "./poll_io.ts";
import { type RawOptions, RawTransport } from "./raw_io.ts";
import type { RouteWriter } from "./route_io.ts";

export interface Kernel {
  readonly writer: AddressWriter;
  /** For routes and rules. */
  readonly routes: RouteWriter;
  /** Null: the kernel refuses, and `whyMute` says why. */
  readonly announcer: Announcer | null;
  readonly whyMute: string;
  findLink(device: string): Link | null;
  /** The MAC that a neighbour is known by; null: none now, and the kernel has been asked to find it. */
  neighbour(device: string, address: IpBytes): Uint8Array | null;
  /** Opens the sockets of VRRP itself on one interface. Throws what the kernel refuses. */
  openRaw(options: RawOptions): RawTransport;
  /** The interface with the virtual MAC of a virtual router. */
  macvlan(vrid: number, family: 4 | 6, setSysctl: (name: string, value: string) => string | null): Macvlan;
  close(): Promise<void>;
}

/** Throws what the runtime or the kernel refuses. */
export function openKernel(handler: LinkHandler, onError: (error: Error) => void): Kernel {
  const { libc, close } = openLibc();
  try {
    const poller = new Poller(libc, onError);
    const watch = new LinkWatch(libc, poller, handler);
    const { announcer, whyMute } = openAnnouncer(libc);
    return {
      writer: netlinkWriter(watch.requests),
      routes: {
        change: (encode) => watch.requests.change(encode),
        findLink: (device) => watch.find(device),
      },
      announcer,
      whyMute,
      findLink: (device) => watch.find(device),
      neighbour(device, address) {
        const link = watch.find(device);
        return link === null ? null : watch.requests.neighbour(link.index, address);
      },
      macvlan: (vrid, family, setSysctl) => new Macvlan(watch.requests, setSysctl, vrid, family),
      openRaw: (options) => new RawTransport(libc, poller, options),
      async close() {
        announcer?.close();
        watch.close();
        await poller.close();
        close();
      },
    };
  } catch (error) {
    close();
    throw error;
  }
}

function openAnnouncer(libc: ReturnType<typeof openLibc>["libc"]) {
  try {
    return { announcer: new Announcer(libc), whyMute: "" };
  } catch (error) {
    return { announcer: null, whyMute: reasonOf(error) };
  }
}
