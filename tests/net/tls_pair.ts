/** Two ends of TLS in memory: what one says waits until the test hands it to the other. */
import type { ServerTlsSnapshot, TlsSnapshot } from "../../mod/config/snapshot.ts";
import type { Lease } from "../../mod/net/buffers.ts";
import type { TlsCodec, TlsCodecEvents, TlsFacts } from "../../mod/net/tls.ts";
import type { Certificates } from "./openssl.ts";

/** One end, which writes down what its codec tells. */
export class End implements TlsCodecEvents {
  readonly sent: Uint8Array[] = [];
  facts: TlsFacts | null = null;
  text = "";
  ends = 0;
  fault: string | null = null;
  untrusted = false;
  readonly codec: TlsCodec;

  constructor(open: (events: TlsCodecEvents) => TlsCodec) {
    this.codec = open(this);
  }

  onSecure(facts: TlsFacts): void {
    this.facts = facts;
  }
  onText(lease: Lease, size: number): void {
    this.text += new TextDecoder().decode(lease.bytes.subarray(0, size));
    lease.release();
  }
  onBytes(lease: Lease, size: number): void {
    this.sent.push(lease.bytes.slice(0, size));
    lease.release();
  }
  onTextEnd(): void {
    this.ends++;
  }
  onFault(reason: string, untrusted: boolean): void {
    this.fault = reason;
    this.untrusted = untrusted;
  }

  say(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.codec.write(bytes, bytes.length);
  }

  /** Hands over what it has said; false: that was nothing. */
  giveTo(other: End): boolean {
    const sent = this.sent.splice(0);
    for (const bytes of sent) other.codec.receive(bytes);
    return sent.length > 0;
  }
}

/** Carries bytes both ways, one flight a step, the client's first; at most so many. */
export function pass(client: End, server: End, flights = Infinity): void {
  for (let flight = 0, silent = 0; flight < flights && silent < 2; flight++) {
    silent = (flight % 2 === 0 ? client.giveTo(server) : server.giveTo(client)) ? 0 : silent + 1;
  }
}

/** Terms of a listener that shows these certificates, each for NAME.test. */
export function listenerTerms(
  made: Certificates,
  names: readonly string[],
  change: Partial<TlsSnapshot> = {},
): TlsSnapshot {
  return {
    certificates: names.map((name) => ({
      certFile: `${name}.pem`,
      cert: made.text(`${name}.pem`),
      key: made.text(`${name}.key`),
      names: [`${name}.test`],
      expiresAt: 0,
      issuer: "",
      fingerprint: name,
    })),
    minVersion: "1.2",
    alpn: [],
    strictSni: false,
    clientAuth: null,
    ...change,
  };
}

/** Terms of a pool whose servers come from this authority. */
export function poolTerms(ca: string, change: Partial<ServerTlsSnapshot> = {}): ServerTlsSnapshot {
  return { verify: true, ca, clientCertificate: null, alpn: [], minVersion: "1.2", ...change };
}
