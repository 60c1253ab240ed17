/**
 * Which implementation of TLS is used: the system's OpenSSL where there is one, else the runtime's rustls, which costs
 * more and can less. One a thread.
 */
import { rootCertificates } from "node:tls";
import type { ServerTlsSnapshot, TlsSnapshot } from "../config/snapshot.ts";
import type { BufferPool } from "./buffers.ts";
import { opensslConnector } from "./openssl_client_io.ts";
import { certificateProblem as problemOfOpenssl } from "./openssl_context_io.ts";
import { openssl } from "./openssl_library_io.ts";
import { opensslAcceptor } from "./openssl_server_io.ts";
import { clientCodec, contextProblem, serverCodec, tlsAvailable, tlsContext } from "./rustls_io.ts";
import type { TicketKey, TicketKeys } from "./ticket_keys.ts";
import { chooseByName } from "./server_names.ts";
import type { TlsAcceptor, TlsConnector, TlsEngine } from "./tls.ts";
import { tryTls } from "./tls_trial_io.ts";
import { VerifiedClients } from "./verified_clients.ts";

/** Of the tickets of clients; every worker of a node has the same. */
export function newTicketKeys(): TicketKeys {
  return { ring: [newTicketKey(), newTicketKey(), newTicketKey()] };
}

export function newTicketKey(): TicketKey {
  const random = (size: number) => crypto.getRandomValues(new Uint8Array(size));
  return { name: random(16), mac: random(32), aes: random(32) };
}

export interface TlsEngineOptions {
  readonly buffers: BufferPool;
  readonly ticketKeys: TicketKeys;
  /** Names one, for comparison. */
  readonly prefer?: string;
}

/** Why no listener here could show a certificate with its key, or null. */
export function certificateProblem(cert: string, key: string): string | null {
  return openssl === null ? contextProblem(tlsContext({ cert, key })) : problemOfOpenssl(openssl, cert, key);
}

/** Makes the best that there is here. */
export function makeTlsEngine({ buffers, ticketKeys, prefer }: TlsEngineOptions): TlsEngine {
  if (openssl === null || prefer === "rustls") return new RustlsEngine();
  const lib = openssl;
  return {
    name: "openssl",
    acceptor: (terms) => opensslAcceptor(lib, terms, ticketKeys, buffers),
    connector: (terms, resume = true) => opensslConnector(lib, terms, buffers, resume),
  };
}

class RustlsEngine implements TlsEngine {
  readonly name = "rustls";
  /** By the authorities' certificates: a reload must not forget whom it has verified. */
  readonly #verified = new Map<string, VerifiedClients>();
  #problem: string | null | undefined;

  acceptor = (terms: TlsSnapshot): TlsAcceptor => {
    this.#problem ??= tryTls();
    if (this.#problem !== null) throw new Error(`Cannot terminate TLS as ${this.#problem}`);
    const { clientAuth, minVersion } = terms;
    const guard = clientAuth === null ? {} : { ca: clientAuth.ca, clientAuth: clientAuth.mode };
    const contexts = terms.certificates.map(({ cert, key, certFile }) => {
      try {
        return tlsContext({ cert, key, minVersion, ...guard });
      } catch (error) {
        throw new Error(`Cannot use the certificate ${certFile} as ${(error as Error).message}`);
      }
    });
    const choose = chooseByName(terms.certificates.map(({ names }) => names), terms.strictSni);
    const server = {
      alpn: terms.alpn,
      choose: (name: string) => contexts[choose(name)] ?? null,
      clientAuth: clientAuth?.mode ?? null,
      verified: this.#verifiedBy(clientAuth?.ca),
    };
    return { open: (events) => serverCodec(server, events) };
  };

  connector({ verify, ca, clientCertificate, alpn, minVersion }: ServerTlsSnapshot): TlsConnector {
    if (!tlsAvailable()) {
      throw new Error("Cannot connect over TLS as there is neither OpenSSL 3 nor a TLS of the runtime");
    }
    // Never the runtime's own authorities by default: what it finds wrong with a certificate would be told to all
    // connections that use them.
    const context = tlsContext({ ca: ca ?? rootCertificates.join("\n"), minVersion, ...clientCertificate });
    return {
      open: (host, _port, name, events) =>
        clientCodec({ context, name: name === "" ? host : name, verify, alpn }, events),
    };
  }

  #verifiedBy(ca: string | undefined): VerifiedClients {
    const clients = ca === undefined ? undefined : this.#verified.get(ca);
    if (clients !== undefined) return clients;
    const fresh = new VerifiedClients();
    if (ca !== undefined) this.#verified.set(ca, fresh);
    return fresh;
  }
}
