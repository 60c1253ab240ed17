/**
 * What the kernel's events make of the interfaces: which are up, and what has changed since last told. Pure.
 *
 * Events repeat themselves (one per changed flag, renewed lease, statistics); only a change of something that matters
 * is told on.
 */
import type { Link, NetlinkMessage } from "./netlink.ts";

/** An interface that is not there counts as down. */
export interface LinkChange {
  readonly name: string;
  /** Up with a carrier. */
  readonly running: boolean;
  /** Null: the interface is gone. */
  readonly link: Link | null;
}

export class LinkTable {
  readonly #links = new Map<number, Link>();

  find(name: string): Link | null {
    for (const link of this.#links.values()) if (link.name === name) return link;
    return null;
  }

  /** Takes one event in. What has changed: nothing, one interface, or two when one was renamed. */
  take(message: NetlinkMessage): LinkChange[] {
    if (message.kind !== "link") return [];
    const before = this.#links.get(message.link.index);
    if (message.gone) {
      this.#links.delete(message.link.index);
      return before === undefined ? [] : [gone(before.name)];
    }
    this.#links.set(message.link.index, message.link);
    if (before === undefined) return [present(message.link)];
    if (before.name !== message.link.name) return [gone(before.name), present(message.link)];
    return same(before, message.link) ? [] : [present(message.link)];
  }

  /** Takes a whole listing in, after events were lost. */
  replace(links: readonly Link[]): LinkChange[] {
    const listed = new Set(links.map(({ index }) => index));
    const missing = [...this.#links.values()].filter(({ index }) => !listed.has(index));
    const changes = [
      ...missing.map((link) => ({ kind: "link", gone: true, link }) as const),
      ...links.map((link) => ({ kind: "link", gone: false, link }) as const),
    ];
    return changes.flatMap((message) => this.take(message));
  }
}

function gone(name: string): LinkChange {
  return { name, running: false, link: null };
}

function present(link: Link): LinkChange {
  return { name: link.name, running: link.running, link };
}

function same(one: Link, other: Link): boolean {
  return one.running === other.running && one.up === other.up &&
    (one.mac ?? []).join() === (other.mac ?? []).join();
}
