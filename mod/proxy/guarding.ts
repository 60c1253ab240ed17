/**
 * Asks the guards of a route about the requests of one client connection, each in its turn. Made with the first
 * request that has guards. It must not know which guards there are.
 */
import { type IpBytes, parseIp } from "../base/address.ts";
import type { Denial, Guard, GuardRequest } from "../guard/guard.ts";
import type { Head } from "../http1/head.ts";
import type { RequestInfo } from "../http1/request.ts";
import type { ProxyEnvironment } from "./environment.ts";
import type { HeadFacts } from "./facts.ts";

/** The connection that requests come by. */
export interface GuardedClient {
  readonly environment: Pick<ProxyEnvironment, "facts">;
  /** Whose the present request is. */
  readonly address: string;
}

export class Guarding implements GuardRequest {
  readonly #client: GuardedClient;
  #facts!: HeadFacts;
  #address = "";
  #ip: IpBytes | null = null;

  constructor(client: GuardedClient) {
    this.#client = client;
  }

  get facts(): HeadFacts {
    return this.#facts;
  }

  get address(): string {
    return this.#address;
  }

  get ip(): IpBytes | null {
    return this.#ip;
  }

  /** The first word against a request; null: it may go on. */
  check(guards: readonly Guard[], head: Head, info: RequestInfo, bytes: Uint8Array): Denial | null {
    const { environment, address } = this.#client;
    this.#facts = environment.facts.set(head, info, bytes, address);
    if (address !== this.#address) {
      this.#address = address;
      this.#ip = parseIp(address);
    }
    for (const guard of guards) {
      const verdict = guard.check(this);
      if (verdict !== null) return verdict;
    }
    return null;
  }
}
