/**
 * Answers a client with what is stored: as the answer of a server that has it all in memory, so that everything that is
 * done with a server's answer (rules, compression, framing) is done with this one.
 *
 * A machine like every session part: what does not leave at once goes on with `onDrain`. A body leaves without a copy.
 */
import { copyBytes } from "../base/bytes.ts";
import { REPLY_ADDED_BYTES, storedField, writeReply } from "../cache/head.ts";
import { type Conditions, type Reply, replyTo } from "../cache/reply.ts";
import type { Entry } from "../cache/store.ts";
import { ageSeconds } from "../cache/use.ts";
import type { ErrorCode } from "../base/errors.ts";
import { DONE, Head, MAX_FIELDS, parseResponseHead } from "../http1/head.ts";
import { readResponse, ResponseInfo } from "../http1/response.ts";
import type { Lease } from "../net/buffers.ts";
import { SMALL_BYTES } from "../net/buffers.ts";
import { type AnswerRelay, BROKEN, ONGOING, type Relayed } from "./answer_relay.ts";
import type { Changes } from "./changes.ts";
import type { ClientConnection } from "./client_connection.ts";
import { BROKEN_OFF, type Sent, SENT_ALL, WAITS } from "./file_answer.ts";
import type { Record } from "./record.ts";

/** So much of a body leaves at a time: whoever is to compress it does no more at once. */
const SLICE_BYTES = 256 * 1024;

/** One a worker. */
const head = new Head();
const info = new ResponseInfo();

/** How a stored answer is given. */
export interface StoredTerms {
  readonly conditions: Conditions;
  readonly headRequest: boolean;
  /** Whether the client's connection is kept behind it. */
  readonly keepAlive: boolean;
}

export class StoredAnswer {
  readonly #client: ClientConnection;
  readonly #record: Record;
  readonly #changes: Changes;
  readonly #relay: AnswerRelay;
  #body: Lease | null = null;
  #at = 0;
  #end = 0;
  #paged: boolean | null = null;
  /** Bytes that the stream held when it was looked at. */
  #queued = 0;

  constructor(client: ClientConnection, record: Record, changes: Changes, relay: AnswerRelay) {
    this.#client = client;
    this.#record = record;
    this.#changes = changes;
    this.#relay = relay;
  }

  get keepAlive(): boolean {
    return this.#paged ?? this.#relay.keepAlive;
  }

  /** After BROKEN_OFF: why. */
  get problem(): ErrorCode {
    return "clientStalled";
  }

  start(entry: Entry, { conditions, headRequest, keepAlive }: StoredTerms): Sent {
    const { environment } = this.#client;
    const { length, terms, status } = entry;
    const date = () => storedField(entry.head, "date");
    const reply = replyTo(conditions, { status, terms, length, date }, environment.wallClock());
    const age = ageSeconds(terms, environment.now() - entry.storedAt);
    // A small body leaves with its head, in one write.
    const small = reply.kind === "whole" && !headRequest && length <= SMALL_BYTES ? length : 0;
    const lease = environment.buffers.atLeast(entry.head.length + REPLY_ADDED_BYTES + small);
    const { bytes } = lease;
    const headEnd = writeReply(bytes, entry.head, reply, length, age);
    if (small > 0) copyBytes(bytes, headEnd, entry.body.bytes, 0, small);
    const sent = this.#begin(entry, reply, lease, headEnd + small, { headRequest, keepAlive });
    lease.release();
    return sent;
  }

  /** Begins with a head, up to `end`, with a small body. */
  #begin(
    { body, length }: Entry,
    reply: Reply,
    { bytes }: Lease,
    end: number,
    { headRequest, keepAlive }: Omit<StoredTerms, "conditions">,
  ): Sent {
    const read = parseResponseHead(head, bytes, 0, end, MAX_FIELDS) === DONE &&
      readResponse(info, head, bytes, headRequest);
    if (!read) throw new Error("Cannot use a stored head as it is malformed");
    this.#record.status = head.status;
    this.#changes.server = null;
    const page = this.#changes.pages?.instead(head, bytes) ?? null;
    this.#paged = page === null ? null : keepAlive;
    if (page !== null) {
      this.#client.answering.answer(page, keepAlive, headRequest, this.#changes.amendInstead(head, bytes));
      return SENT_ALL;
    }
    this.#body = body.share();
    this.#at = reply.kind === "part" ? reply.start : 0;
    this.#end = reply.kind === "part" ? reply.end : length;
    return this.#went(this.#relay.head(head, info, bytes, end, keepAlive, null));
  }

  /** The client's stream has room again. */
  onDrain(): Sent {
    return this.#went(ONGOING, true);
  }

  /** The deadline of a stream without room has passed; WAITS: it has moved on meanwhile. */
  onDeadline(): Sent {
    const { queued } = this.#client.stream;
    const before = this.#queued;
    this.#queued = queued;
    return queued < before ? WAITS : BROKEN_OFF;
  }

  /** Lets go of the body; harmless when it has been done. */
  close(): void {
    this.#body?.release();
    this.#body = null;
  }

  /** Goes on until all is sent, or the stream has enough. */
  #went(what: Relayed, flowing = this.#relay.flowing): Sent {
    const body = this.#body!;
    while (what === ONGOING && flowing) {
      const end = Math.min(this.#end, this.#at + SLICE_BYTES);
      what = this.#relay.bytes(body.bytes, this.#at, end, { take: () => body.share() });
      this.#at = end;
      flowing = this.#relay.flowing;
    }
    if (what === BROKEN) throw new Error("Cannot frame a stored body");
    if (what !== ONGOING) {
      this.close();
      return SENT_ALL;
    }
    this.#queued = this.#client.stream.queued;
    return WAITS;
  }
}
