/**
 * The lines that every request of a client gets on its way to a server, made once and kept while the client
 * goes on naming the same host.
 */
import { forwardedLines, NOTHING_RECEIVED, type Received } from "../http/forwarded.ts";
import { fromLatin1, latin1 } from "../http/grammar.ts";
import * as names from "../http/names.ts";
import type { Head } from "../http1/head.ts";
import type { RequestInfo } from "../http1/request.ts";
import type { LiveListener, LivePool } from "./environment.ts";
import type { RequestEdit } from "./request_edit.ts";
import type { RequestAdditions, Traced } from "./request_head.ts";

const NO_HOST = new Uint8Array(0);

interface Additions extends RequestAdditions {
  forwarded: Uint8Array;
  trusted: boolean;
  traced: Traced | null;
  fallbackHost: Uint8Array;
}

export class ForwardedCache {
  readonly #additions: Additions;
  #host = NO_HOST;
  #minor = -1;
  #listener: LiveListener | null = null;
  /** Whose rules have left lines out; null: nobody's. */
  #edit: RequestEdit | null = null;

  /** `peer`: who is connected; `scheme`: what is spoken to us. */
  constructor(
    readonly peer: string,
    readonly scheme: "http" | "https",
    writeRequestId: (out: Uint8Array, at: number) => number,
  ) {
    this.#additions = {
      forwarded: NO_HOST,
      trusted: false,
      traced: null,
      fallbackHost: NO_HOST,
      writeRequestId,
    };
  }

  /** Whether who is connected is a proxy that is believed. */
  trusted(listener: LiveListener): boolean {
    if (listener !== this.#listener) {
      this.#listener = listener;
      this.#additions.trusted = listener.trusts(this.peer);
      this.#additions.traced = listener.traced;
      this.#minor = -1;
    }
    return this.#additions.trusted;
  }

  /** `client`: whose request it is, as far as who is connected is believed. */
  additions(
    head: Head,
    info: RequestInfo,
    bytes: Uint8Array,
    client: string,
    listener: LiveListener,
    pool: LivePool | null,
    edit: RequestEdit | null,
  ): RequestAdditions {
    const additions = this.#additions;
    const leaving = edit !== null && edit.dropsForwarded ? edit : null;
    const trusted = this.trusted(listener);
    additions.fallbackHost = pool?.fallbackHost ?? NO_HOST;
    const same = info.minor === this.#minor && leaving === this.#edit;
    if (!trusted && same && this.#sameHost(info, bytes)) return additions;
    const received = trusted ? { ...receivedFields(head, bytes), realIp: client } : NOTHING_RECEIVED;
    const host = latin1(bytes, info.hostStart, info.hostEnd);
    const lines = forwardedLines(this.peer, host, this.scheme, info.minor, received);
    additions.forwarded = fromLatin1(leaving === null ? lines : linesLeft(lines, leaving));
    this.#edit = leaving;
    this.#host = bytes.slice(info.hostStart, info.hostEnd);
    this.#minor = info.minor;
    return additions;
  }

  #sameHost(info: RequestInfo, bytes: Uint8Array): boolean {
    const host = this.#host;
    const { hostStart, hostEnd } = info;
    if (hostEnd - hostStart !== host.length) return false;
    for (let i = 0; i < host.length; i++) if (bytes[hostStart + i] !== host[i]) return false;
    return true;
  }
}

/** The lines that the rules of a route leave. */
function linesLeft(lines: string, edit: RequestEdit): string {
  return lines.replace(/^([^:]+):.*\r\n/gm, (line, name) => edit.drops(name) ? "" : line);
}

function receivedFields(head: Head, bytes: Uint8Array): Omit<Received, "realIp"> {
  const joined = (id: number) => {
    let value = "";
    for (let i = 0; i < head.count; i++) {
      if (head.ids[i] !== id) continue;
      const text = latin1(bytes, head.valueStart(i), head.valueEnd(i));
      value = value === "" ? text : `${value}, ${text}`;
    }
    return value;
  };
  return {
    forwardedFor: joined(names.X_FORWARDED_FOR),
    forwardedProto: joined(names.X_FORWARDED_PROTO),
    forwardedHost: joined(names.X_FORWARDED_HOST),
    forwarded: joined(names.FORWARDED),
  };
}
