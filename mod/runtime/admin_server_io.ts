/**
 * The admin address over TCP: one server at a time, moved when the configuration says another address.
 *
 * The next is open before the one before it closes, so an address that cannot be had changes nothing. What it
 * answers is a parameter.
 */
import { formatHostPort, isLoopbackIp, parseIp } from "../base/address.ts";
import type { NodeStatus } from "../observe/status.ts";
import type { TrafficStatus } from "../observe/traffic.ts";
import { explainBind } from "./bind_check_io.ts";
import type { Desk } from "./desk.ts";
import { stopServer } from "./stop_server_io.ts";

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
}

export interface AdminApp {
  /** `peer`: who asks, as far as the transport knows. */
  fetch(request: Request, from: { readonly peer?: string }): Response | Promise<Response>;
}

/** Makes the application that answers. */
export type MakeAdmin = (
  facts: AdminFacts,
  access: { readonly from: "loopback" | "remote"; readonly token: string | null },
) => AdminApp;

interface Open {
  readonly host: string;
  readonly port: number;
  readonly server: Deno.HttpServer;
  app: AdminApp;
  /** Whoever asks earlier waits for it: the address may be shared with a balancer that serves. */
  readonly wanted: PromiseWithResolvers<void>;
}

export class AdminServer {
  #facts: AdminFacts;
  #make: MakeAdmin;
  #open: Open | null = null;

  constructor(facts: AdminFacts, make: MakeAdmin) {
    this.#facts = facts;
    this.#make = make;
  }

  /**
   * Gets an address ready (null: none is wanted). The answer is what to do when it is wanted indeed and when it is
   * not after all, or why it cannot be had.
   */
  prepare(address: AdminAddress | null): { commit(): void; cancel(): void } | { problem: string } {
    const before = this.#open;
    if (address === null) {
      const commit = () => {
        this.#open = null;
        before?.server.shutdown();
      };
      return { commit, cancel: () => {} };
    }
    const app = this.#make(this.#facts, { from: reach(address.host), token: address.token });
    if (before?.host === address.host && before.port === address.port) {
      return { commit: () => void (before.app = app), cancel: () => {} };
    }
    const next = listen(address, app);
    if ("problem" in next) return next;
    const commit = () => {
      this.#open = next;
      next.wanted.resolve();
      before?.server.shutdown();
    };
    const cancel = () => {
      next.wanted.resolve();
      void next.server.shutdown();
    };
    return { commit, cancel };
  }

  async close(): Promise<void> {
    if (this.#open !== null) await stopServer(this.#open.server);
    this.#open = null;
  }
}

function listen({ host, port }: AdminAddress, app: AdminApp): Open | { problem: string } {
  try {
    // Shared, so that a balancer that takes over answers before this one ends.
    const options = { hostname: host, port, reusePort: true, onListen() {} };
    const wanted = Promise.withResolvers<void>();
    const server = Deno.serve(options, async (request, { remoteAddr }) => {
      await wanted.promise;
      return await open.app.fetch(request, { peer: remoteAddr.hostname });
    });
    const open: Open = { host, port, server, app, wanted };
    return open;
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
