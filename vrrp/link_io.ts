/**
 * Tells at once when a link goes down or up and when an address is removed: netlink events, no polling of state.
 *
 * It opens two sockets, one for events and one for questions, and puts the first into the process's one poller. Lost
 * events are made good by listing the links anew.
 */
import type { Libc } from "../mod/base/libc_io.ts";
import { type LinkChange, LinkTable } from "./links.ts";
import {
  type Link,
  type NetlinkMessage,
  RTMGRP_IPV4_IFADDR,
  RTMGRP_IPV6_IFADDR,
  RTMGRP_LINK,
} from "./netlink.ts";
import { NetlinkSocket } from "./netlink_io.ts";
import type { Poller } from "./poll_io.ts";

export interface LinkHandler {
  onLink(change: LinkChange): void;
  /** An address was removed, or its lease ran out. */
  onAddressGone(message: NetlinkMessage): void;
}

export class LinkWatch {
  /** For questions and changes: `netlinkWriter(watch.requests)`. */
  readonly requests: NetlinkSocket;
  readonly #events: NetlinkSocket;
  readonly #poller: Poller;
  readonly #table = new LinkTable();
  readonly #handler: LinkHandler;

  /** Begins to listen; the links of now are known when it returns and are not told. */
  constructor(libc: Libc, poller: Poller, handler: LinkHandler) {
    this.#poller = poller;
    this.#handler = handler;
    this.#events = new NetlinkSocket(libc, RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR);
    this.requests = new NetlinkSocket(libc);
    // Listed after the events are heard, so that no change falls between.
    this.#table.replace(this.requests.links());
    poller.add(this.#events.fd, () => this.#read());
  }

  /** The interface of that name now; null: there is none. */
  find(name: string): Link | null {
    return this.#table.find(name);
  }

  close(): void {
    this.#poller.remove(this.#events.fd);
    this.#events.close();
    this.requests.close();
  }

  #read(): void {
    const messages = this.#events.receive();
    const changes = messages?.flatMap((message) => this.#table.take(message)) ??
      this.#table.replace(this.requests.links());
    for (const change of changes) this.#handler.onLink(change);
    for (const message of messages ?? []) {
      if (message.kind === "address" && message.gone) this.#handler.onAddressGone(message);
    }
  }
}
