/**
 * Our end of TLS with clients, by OpenSSL: certificates by the name that the client asks for, protocols, tickets for
 * sessions that every worker takes, and the client's certificate, which the library verifies within the handshake.
 */
import type { TlsSnapshot } from "../config/snapshot.ts";
import type { BufferPool } from "./buffers.ts";
import { fingerprintOf, pemOf, subjectOf } from "./openssl_certificate_io.ts";
import { type Context, serverContexts } from "./openssl_context_io.ts";
import { codecUnderWay, OpensslCodec } from "./openssl_codec_io.ts";
import { bytesAt, type OpenSsl, openssl, putAt, textAt } from "./openssl_library_io.ts";
import { Tickets } from "./openssl_tickets_io.ts";
import { chooseByName } from "./server_names.ts";
import { ShownCertificate } from "./shown_certificate_io.ts";
import type { TicketKeys } from "./ticket_keys.ts";
import type { TlsAcceptor, TlsClient, TlsCodecEvents, TlsFacts } from "./tls.ts";

const SET_SERVERNAME_CALLBACK = 53;
const NAME_TYPE_HOST = 0;
const DONE = 0;
/** What a call from the library answers to end the handshake with the alert of its kind. */
const FATAL = 2;
const UNRECOGNIZED_NAME = 112;
/** RFC 6066 section 3: names are ASCII. They stand in logs and fields. */
const NO_NAME = /[^\x21-\x7e]/;

export function opensslAcceptor(
  lib: OpenSsl,
  terms: TlsSnapshot,
  ticketKeys: TicketKeys,
  buffers: BufferPool,
): TlsAcceptor {
  const contexts = serverContexts(lib, terms);
  const { name, protocol, ticket } = CALLS!;
  for (const { pointer } of contexts) {
    lib.ssl.SSL_CTX_set_tlsext_ticket_key_evp_cb(pointer, ticket);
    if (terms.alpn.length > 0) lib.ssl.SSL_CTX_set_alpn_select_cb(pointer, protocol, null);
  }
  lib.ssl.SSL_CTX_callback_ctrl(contexts[0]!.pointer, SET_SERVERNAME_CALLBACK, name);
  const listener: Terminated = {
    contexts,
    choose: chooseByName(terms.certificates.map(({ names }) => names), terms.strictSni),
    alpn: terms.alpn,
    asks: terms.clientAuth !== null,
    ticketKeys,
  };
  return { open: (events) => new ServerCodec(lib, listener, buffers, events) };
}

interface Terminated {
  readonly contexts: readonly Context[];
  readonly choose: (name: string) => number;
  readonly alpn: readonly string[];
  /** Whether clients are asked for a certificate. */
  readonly asks: boolean;
  readonly ticketKeys: TicketKeys;
}

class ServerCodec extends OpensslCodec {
  #serverName = "";
  #alpn = "";

  constructor(lib: OpenSsl, readonly listener: Terminated, buffers: BufferPool, events: TlsCodecEvents) {
    super(lib, listener.contexts[0]!, buffers, events);
    lib.ssl.SSL_set_accept_state(this.ssl);
  }

  /** The library has read what the client asks for; false: there is nothing for it. */
  onName(): boolean {
    const { lib, listener } = this;
    this.#serverName = textAt(lib, lib.ssl.SSL_get_servername(this.ssl, NAME_TYPE_HOST)).toLowerCase();
    if (NO_NAME.test(this.#serverName)) {
      this.reason = "what the client asks for cannot be a name";
      return false;
    }
    const context = listener.contexts[listener.choose(this.#serverName)];
    if (context === undefined) {
      this.reason = "no certificate is for the name that the client asks for";
      return false;
    }
    if (context !== this.context) lib.ssl.SSL_set_SSL_CTX(this.ssl, context.pointer);
    return true;
  }

  /** Where in what the client offers the protocol is that is wanted most; -1: nowhere (RFC 7301 section 3.2). */
  onProtocols(offered: Uint8Array): number {
    const places = new Map<string, number>();
    for (let at = 0; at < offered.length; at += 1 + offered[at]!) {
      places.set(String.fromCharCode(...offered.subarray(at + 1, at + 1 + offered[at]!)), at);
    }
    const wanted = this.listener.alpn.find((name) => places.has(name));
    if (wanted === undefined) this.reason = "the client offers no protocol that is spoken here";
    else this.#alpn = wanted;
    return wanted === undefined ? -1 : places.get(wanted)!;
  }

  protected override facts(): TlsFacts {
    return {
      ...this.agreed,
      serverName: this.#serverName,
      alpn: this.#alpn,
      resumed: this.lib.ssl.SSL_session_reused(this.ssl) === 1,
      client: this.listener.asks ? this.#client() : null,
    };
  }

  protected override certificateFault(code: number): string {
    const words = textAt(this.lib, this.lib.crypto.X509_verify_cert_error_string(BigInt(code)));
    return `the client's certificate is not accepted: ${words}`;
  }

  protected override refusedBy(alert: string): string {
    return `the client refused: ${alert}`;
  }

  protected override onProgress(): void {}

  #client(): TlsClient | null {
    const { lib } = this;
    const certificate = lib.ssl.SSL_get1_peer_certificate(this.ssl);
    if (certificate === null) return null;
    const pem = pemOf(lib, certificate);
    const client = new ShownCertificate(
      subjectOf(lib, certificate),
      fingerprintOf(lib, certificate),
      () => pem,
    );
    lib.crypto.X509_free(certificate);
    return client;
  }
}

/** What the library calls, for good, as contexts refer to it. */
const CALLS = openssl === null ? null : callsOf(openssl);

function callsOf(lib: OpenSsl): Record<"name" | "protocol" | "ticket", Deno.PointerObject> {
  const tickets = new Tickets(lib);
  const name = new Deno.UnsafeCallback(
    { parameters: ["pointer", "u64", "pointer"], result: "i32" },
    (_ssl, alert) => {
      if ((codecUnderWay() as ServerCodec).onName()) return DONE;
      putAt(lib, alert, new Uint8Array(Int32Array.of(UNRECOGNIZED_NAME).buffer));
      return FATAL;
    },
  );
  const protocol = new Deno.UnsafeCallback(
    { parameters: ["pointer", "u64", "u64", "u64", "u32", "pointer"], result: "i32" },
    (_ssl, out, outSize, offered, size) => {
      const bytes = bytesAt(lib, offered, size);
      const at = (codecUnderWay() as ServerCodec).onProtocols(bytes);
      if (at < 0) return FATAL;
      putAt(lib, out, new Uint8Array(BigUint64Array.of(offered + BigInt(at) + 1n).buffer));
      putAt(lib, outSize, Uint8Array.of(bytes[at]!));
      return DONE;
    },
  );
  const ticket = new Deno.UnsafeCallback(
    { parameters: ["pointer", "pointer", "pointer", "pointer", "pointer", "i32"], result: "i32" },
    (_ssl, name, iv, cipher, mac, sealing) => {
      const { ring } = (codecUnderWay() as ServerCodec).listener.ticketKeys;
      return sealing === 1
        ? tickets.seal(ring, name, iv, cipher, mac)
        : tickets.open(ring, name, iv, cipher, mac);
    },
  );
  return { name: name.pointer, protocol: protocol.pointer, ticket: ticket.pointer };
}
