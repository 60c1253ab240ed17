/**
 * What the rules of a route change in the messages of one exchange: it holds what is known of the request until the
 * answer is there, and knows nothing where there are no rules.
 */
import type { Amend } from "../http/answer.ts";
import type { Head } from "../http1/head.ts";
import type { RequestInfo } from "../http1/request.ts";
import type { Stream } from "../net/stream.ts";
import type { HeaderEdit } from "../route/header_edit.ts";
import { AnswerValues } from "./answer_values.ts";
import type { LiveRoute } from "./environment.ts";
import type { LivePages } from "./error_pages.ts";
import type { Record } from "./record.ts";
import { NO_CHANGES, type RequestChanges } from "./request_head.ts";
import { RequestValues, type ValuesClient } from "./request_values.ts";

export class Changes {
  /** Null: there are none. */
  pages: LivePages | null = null;
  /** What is changed in the answer; null: nothing. */
  edit: HeaderEdit | null = null;
  /** False when a rule made a host of the request's that is none. */
  fits = true;
  /** Where the request was sent; null: the answer is a stored one. */
  server: Stream | null = null;
  readonly #client: ValuesClient;
  readonly #record: Record;
  /** Made with the first request that has rules. */
  #values: RequestValues | null = null;
  #answerValues: AnswerValues | null = null;
  #kept: readonly string[] = [];

  constructor(client: ValuesClient, record: Record) {
    this.#client = client;
    this.#record = record;
  }

  /** Begins with a request; `route`: null: none takes it; `trusted`: the client is a proxy that is believed. */
  begin(
    head: Head,
    info: RequestInfo,
    bytes: Uint8Array,
    route: LiveRoute | null,
    trusted: boolean,
  ): RequestChanges {
    const { requestEdit, answerEdit, cors, pages } = route ?? this.#client.listener.live;
    this.pages = pages;
    this.edit = answerEdit;
    this.fits = true;
    this.server = null;
    if (requestEdit === null && answerEdit === null && cors === null) return NO_CHANGES;
    const values = this.values(head, info, bytes, route, trusted);
    if (cors !== null) this.edit = cors.of(values.facts.header("origin"));
    if (this.edit !== null) this.#kept = this.edit.keep(values);
    if (requestEdit !== null) this.fits = requestEdit.prepare(head, bytes, values);
    return { edit: requestEdit, requestId: values.takenId };
  }

  /** What is known of the request, for whoever answers it while its head is there. */
  values(
    head: Head,
    info: RequestInfo,
    bytes: Uint8Array,
    route: LiveRoute | null,
    trusted: boolean,
  ): RequestValues {
    return (this.#values ??= new RequestValues(this.#client)).set(head, info, bytes, route, trusted);
  }

  /** Prepares `edit`, which there is, for a server's head; the bytes that are needed beyond those of the head. */
  prepareAnswer(head: Head, bytes: Uint8Array): number {
    const values = this.#answer.ofServer(head, bytes, this.server);
    return this.edit!.prepare(head, bytes, this.#kept, values);
  }

  /** What rules make of a head of our own; null: nothing. */
  amend(): Amend | null {
    const { edit } = this;
    if (edit === null) return null;
    const values = this.#answer.own();
    return (head) => {
      values.status = Number(/\d{3}/.exec(head)![0]);
      return edit.amend(head, this.#kept, values);
    };
  }

  /** The same for one that stands in the place of a server's. */
  amendInstead(head: Head, bytes: Uint8Array): Amend | null {
    const amend = this.amend();
    if (amend !== null) this.#answer.ofServer(head, bytes, this.server);
    return amend;
  }

  get #answer(): AnswerValues {
    return this.#answerValues ??= new AnswerValues(this.#record);
  }
}
