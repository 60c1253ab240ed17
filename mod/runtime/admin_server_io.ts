/**
 * The admin address over TCP: one server at a time, moved when the configuration says another address.
 *
 * The next is open before the one before it closes, so an address that cannot be had changes nothing. What it
 * answers is a parameter.
 */
import { formatHostPort, isLoopbackIp, parseIp } from "../base/address.ts";
import type { NodeStatus } from "../observe/status.ts";
import type { TrafficStatus } from "../observe/traffic.ts";
import { type AdminCertificate, type AdminHttp, serveAdmin } from "./admin_http_io.ts";
import { explainBind } from "./bind_check_io.ts";
import type { Desk } from "./desk.ts";

/** What the admin application asks. */
export interface AdminFacts {
  state(): NodeStatus["state"] | "starting";
  status(): NodeStatus;
  traffic(): TrafficStatus;
  readonly version: string;
  readonly desk: Desk;
}

export interface AdminAddress {
  readonly host: string;
  readonly port: number;
  readonly token: string | null;
  /** Null: without TLS. */
  readonly certificate: AdminCertificate | null;
}

export interface AdminApp {
  /** `peer`: who asks, as far as the transport knows; `handedOn`: of another node, which asks for them. */
  fetch(
    request: Request,
    from: { readonly peer?: string; readonly handedOn?: boolean },
  ): Response | Promise<Response>;
}

/** Makes the application that answers. */
export type MakeAdmin = (
  facts: AdminFacts,
  access: { readonly from: "loopback" | "remote"; readonly token: string | null },
) => AdminApp;

interface Open {
  address: AdminAddress;
  readonly http: AdminHttp;
  app: AdminApp;
  /** Whoever asks earlier waits for it: the address may be shared with a balancer that serves. */
  readonly wanted: PromiseWithResolvers<void>;
}

/** What to do when a change is wanted indeed, and when it is not after all. */
export type Prepared = { commit(): void; cancel(): void } | { readonly problem: string };

export class AdminServer {
  #facts: AdminFacts;
  #make: MakeAdmin;
  #open: Open | null = null;
  readonly #ending = new Set<Promise<void>>();

  constructor(facts: AdminFacts, make: MakeAdmin) {
    this.#facts = facts;
    this.#make = make;
  }

  /** Gets an address ready (null: none is wanted). */
  async prepare(address: AdminAddress | null): Promise<Prepared> {
    const before = this.#open;
    if (address === null) {
      const commit = () => {
        this.#open = null;
        this.#end(before);
      };
      return { commit, cancel: () => {} };
    }
    if (before !== null && sameDoor(before.address, address)) return this.#prepareToken(before, address);
    const next = await listen(address, this.#app(address));
    if ("problem" in next) return next;
    const commit = () => {
      this.#open = next;
      next.wanted.resolve();
      this.#end(before);
    };
    const cancel = () => {
      next.wanted.resolve();
      this.#end(next);
    };
    return { commit, cancel };
  }

  async close(): Promise<void> {
    this.#end(this.#open);
    this.#open = null;
    await Promise.all(this.#ending);
  }

  #end(open: Open | null): void {
    if (open === null) return;
    const ending = open.http.close().finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }

  /** The same address: whoever has read with another token reads no longer. */
  #prepareToken(open: Open, address: AdminAddress): Prepared {
    if (open.address.token === address.token) return { commit: () => {}, cancel: () => {} };
    const app = this.#app(address);
    const commit = () => {
      open.app = app;
      open.address = address;
      open.http.endStreams();
    };
    return { commit, cancel: () => {} };
  }

  #app({ host, token }: AdminAddress): AdminApp {
    return this.#make(this.#facts, { from: reach(host), token });
  }
}

function sameDoor(one: AdminAddress, other: AdminAddress): boolean {
  return one.host === other.host && one.port === other.port &&
    one.certificate?.cert === other.certificate?.cert && one.certificate?.key === other.certificate?.key;
}

async function listen(address: AdminAddress, app: AdminApp): Promise<Open | { problem: string }> {
  const { host, port, certificate } = address;
  const wanted = Promise.withResolvers<void>();
  const open = { address, app, wanted };
  try {
    const http = await serveAdmin(host, port, certificate, async (request, from) => {
      await wanted.promise;
      return await open.app.fetch(request, from);
    });
    return Object.assign(open, { http });
  } catch (error) {
    return {
      problem: `Cannot listen on ${formatHostPort(host, port)} for admin.bind: ${explainBind(error, port)}`,
    };
  }
}

function reach(host: string): "loopback" | "remote" {
  const ip = parseIp(host);
  return ip !== null && isLoopbackIp(ip) ? "loopback" : "remote";
}
