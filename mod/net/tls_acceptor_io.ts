/**
 * Termination of TLS for listeners: certificates as contexts of rustls, chosen by the name that the client asks for.
 *
 * One maker a worker. It tries once what the runtime's TLS does, and for client certificates that bad ones are
 * refused, before the first listener depends on it.
 */
import type { TlsSnapshot } from "../config/snapshot.ts";
import { serverCodec, tlsContext } from "./rustls_io.ts";
import { chooseByName } from "./server_names.ts";
import type { MakeTls } from "./tls.ts";
import { tryTls } from "./tls_trial_io.ts";
import { VerifiedClients } from "./verified_clients.ts";

/** Makes acceptors for one worker. */
export function tlsMaker(): MakeTls {
  /** By the authorities' certificates: a reload must not forget whom it has verified. */
  const verified = new Map<string, VerifiedClients>();
  let problem: string | null | undefined;
  return (terms) => {
    if (problem === undefined) problem = tryTls();
    if (problem !== null) throw new Error(`Cannot terminate TLS as ${problem}`);
    const { clientAuth } = terms;
    const contexts = terms.certificates.map(({ cert, key, certFile }) =>
      contextOf(terms, cert, key, certFile)
    );
    const choose = chooseByName(terms.certificates.map(({ names }) => names), terms.strictSni);
    const clients = clientAuth === null
      ? new VerifiedClients()
      : verified.get(clientAuth.ca) ?? new VerifiedClients();
    if (clientAuth !== null) verified.set(clientAuth.ca, clients);
    const server = {
      alpn: terms.alpn,
      choose: (name: string) => contexts[choose(name)] ?? null,
      clientAuth: clientAuth?.mode ?? null,
      verified: clients,
    };
    return { open: (events) => serverCodec(server, events) };
  };
}

function contextOf({ minVersion, clientAuth }: TlsSnapshot, cert: string, key: string, file: string) {
  try {
    return tlsContext({
      cert,
      key,
      minVersion,
      ...(clientAuth === null ? {} : { ca: clientAuth.ca, clientAuth: clientAuth.mode }),
    });
  } catch (error) {
    throw new Error(`Cannot use the certificate ${file} as ${(error as Error).message}`);
  }
}
