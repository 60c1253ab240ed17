/**
 * What the variables of answers are read from: a server's answer while its head is there, or one of our own.
 */
import type { Head } from "../http1/head.ts";
import type { Stream } from "../net/stream.ts";
import type { AnswerSource } from "../route/variables.ts";
import { formatHostPort } from "../base/address.ts";
import { fieldValue } from "./facts.ts";
import type { Record } from "./record.ts";

export class AnswerValues implements AnswerSource {
  status = 0;
  readonly #record: Record;
  #server: Stream | null = null;
  #head: Head | null = null;
  #bytes!: Uint8Array;

  constructor(record: Record) {
    this.#record = record;
  }

  /** The head of a server's answer, good only while it is. `server`: null: it is a stored one. */
  ofServer(head: Head, bytes: Uint8Array, server: Stream | null): this {
    this.status = head.status;
    this.#head = head;
    this.#bytes = bytes;
    this.#server = server;
    return this;
  }

  /** An answer of our own; its status is set when its head is there. */
  own(): this {
    this.#head = this.#server = null;
    return this;
  }

  get pool(): string {
    return this.#record.pool;
  }

  get server(): string {
    return this.#record.server;
  }

  get serverAddress(): string {
    const server = this.#server;
    return server === null ? "" : formatHostPort(server.remoteHost, server.remotePort);
  }

  get cacheStatus(): string {
    return this.#record.cache;
  }

  header(name: string): string | null {
    return this.#head === null ? null : fieldValue(this.#head, this.#bytes, name);
  }
}
