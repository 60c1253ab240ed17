/**
 * Asks the guards of a route about the requests of one client connection, each in its turn. Made with the first
 * request that has guards. It must not know which guards there are.
 */
import { type IpBytes, parseIp } from "../base/address.ts";
import type { Denial, Guard, GuardRequest } from "../guard/guard.ts";
import { realAddress } from "../http/real_address.ts";
import type { Head } from "../http1/head.ts";
import type { RequestInfo } from "../http1/request.ts";
import type { ListenerState, LiveListener, ProxyEnvironment } from "./environment.ts";
import type { HeadFacts } from "./facts.ts";

/** The connection that requests come by. */
export interface GuardedClient {
  readonly environment: Pick<ProxyEnvironment, "facts">;
  readonly address: string;
  readonly listener: ListenerState;
}

export class Guarding implements GuardRequest {
  readonly #client: GuardedClient;
  readonly #ip: IpBytes | null;
  #facts!: HeadFacts;
  /** Whose word on trust is known. */
  #listener: LiveListener | null = null;
  #trusted = false;
  /** Of a request that came by a proxy that is believed; null: not looked for yet. */
  #realAddress: string | null = null;

  constructor(client: GuardedClient) {
    this.#client = client;
    this.#ip = parseIp(client.address);
  }

  get facts(): HeadFacts {
    return this.#facts;
  }

  get address(): string {
    const { address } = this.#client;
    if (!this.#trusted) return address;
    const { facts } = this;
    const told = { forwardedFor: facts.header("x-forwarded-for"), forwarded: facts.header("forwarded") };
    return this.#realAddress ??= realAddress(address, told, this.#listener!.trusts);
  }

  get ip(): IpBytes | null {
    return this.#trusted ? parseIp(this.address) : this.#ip;
  }

  /** The first word against a request; null: it may go on. */
  check(guards: readonly Guard[], head: Head, info: RequestInfo, bytes: Uint8Array): Denial | null {
    const { environment, address, listener: { live } } = this.#client;
    this.#facts = environment.facts.set(head, info, bytes, address);
    this.#realAddress = null;
    if (live !== this.#listener) {
      this.#listener = live;
      this.#trusted = live.trusts(address);
    }
    for (const guard of guards) {
      const verdict = guard.check(this);
      if (verdict !== null) return verdict;
    }
    return null;
  }
}
