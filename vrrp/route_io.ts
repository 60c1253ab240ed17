/**
 * Holds the routes and rules of one virtual router: sets them when the addresses are there, keeps them, takes them off
 * again. What is somebody else's already is left alone and told.
 *
 * Nothing here waits, and a route that cannot be set is no fault: it is tried again at every renewal, as its interface
 * may come later.
 */
import { EEXIST, ENOENT, ESRCH } from "../mod/base/libc_io.ts";
import type { Link } from "./netlink.ts";
import { netlinkProblem } from "./netlink_io.ts";
import {
  encodeDeleteRoute,
  encodeDeleteRule,
  encodeSetRoute,
  encodeSetRule,
  routeText,
  type Routing,
  ruleText,
  type VirtualRoute,
  type VirtualRule,
} from "./route.ts";

export interface RouteWriter {
  /** Asks the kernel for a change: 0, or an error number of Linux. */
  change(encode: (sequence: number) => Uint8Array<ArrayBuffer>): number;
  findLink(device: string): Link | null;
}

export class RouteHolder {
  readonly #writer: RouteWriter;
  readonly #routing: Routing;
  readonly #leaseSeconds: number;
  readonly #held = new Set<VirtualRoute | VirtualRule>();

  constructor(writer: RouteWriter, routing: Routing, leaseSeconds: number) {
    this.#writer = writer;
    this.#routing = routing;
    this.#leaseSeconds = leaseSeconds;
  }

  /** Sets all, also what a crash or the keeper before has left. What failed, in words. */
  set(): string[] {
    const left = this.#held.size === 0 ? this.remove().problems : [];
    return [...left, ...this.keep()];
  }

  /** Renews the leases, and sets what is missing. What failed, in words. */
  keep(): string[] {
    const { routes, rules } = this.#routing;
    return [
      ...routes.flatMap((route) => this.#keepRoute(route)),
      ...rules.flatMap((rule) => {
        const code = this.#writer.change((sequence) => encodeSetRule(rule, sequence));
        return this.#outcome(rule, code, ruleText(rule));
      }),
    ];
  }

  /** Removes all that are ours, also those that are not held: what there was, and what failed, in words. */
  remove(): { readonly removed: readonly string[]; readonly problems: readonly string[] } {
    this.#held.clear();
    const { routes, rules } = this.#routing;
    const removed: string[] = [];
    const problems: string[] = [];
    const attempt = (text: string, encode: (sequence: number) => Uint8Array<ArrayBuffer>) => {
      const code = this.#writer.change(encode);
      if (code === 0) removed.push(text);
      else if (code !== ESRCH && code !== ENOENT) {
        problems.push(`Cannot remove ${text}: ${netlinkProblem(code)}`);
      }
    };
    for (const rule of rules) attempt(ruleText(rule), (sequence) => encodeDeleteRule(rule, sequence));
    for (const route of routes) attempt(routeText(route), (sequence) => encodeDeleteRoute(route, sequence));
    return { removed, problems };
  }

  #keepRoute(route: VirtualRoute): string[] {
    const text = routeText(route);
    const link = route.device === null ? null : this.#writer.findLink(route.device);
    if (route.device !== null && link === null) {
      this.#held.delete(route);
      return [`Cannot set ${text}: there is no interface ${route.device}`];
    }
    // IPv4 has no lease to renew.
    const again = this.#held.has(route) && route.to.bytes.length === 16;
    const code = this.#writer.change((sequence) =>
      encodeSetRoute(route, link?.index ?? null, this.#leaseSeconds, again, sequence)
    );
    return this.#outcome(route, code, text);
  }

  #outcome(one: VirtualRoute | VirtualRule, code: number, text: string): string[] {
    if (code === EEXIST && this.#held.has(one)) return [];
    if (code === 0) {
      this.#held.add(one);
      return [];
    }
    this.#held.delete(one);
    return code === EEXIST
      ? [
        `Cannot set ${text}: there is one like it that is not of Tandem; give this one another metric or priority`,
      ]
      : [`Cannot set ${text}: ${netlinkProblem(code)}`];
  }
}
