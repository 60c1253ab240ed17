/**
 * The answer of a route that needs no server: a fixed one, a redirect or a file.
 *
 * A machine like every session part: what does not leave at once goes on with `onDrain`.
 */
import type { ErrorCode } from "../base/errors.ts";
import { wishOf } from "../compress/judge.ts";
import type { Answer } from "../http/answer.ts";
import type { Changes } from "./changes.ts";
import type { ClientConnection } from "./client_connection.ts";
import type { LiveRoute } from "./environment.ts";
import { BROKEN_OFF, FileAnswer, type Sent, SENT_ALL, WAITS } from "./file_answer.ts";
import { encodedAnswer, fileCompression } from "./own_compression.ts";
import type { Record } from "./record.ts";
import type { RequestValues } from "./request_values.ts";
import { routeAnswer } from "./route_answer.ts";

/** What of the request and its connection the answer goes by. */
export interface Asked {
  readonly values: RequestValues;
  readonly minor: number;
  readonly headRequest: boolean;
  /** Whether the client's connection is kept behind the answer. */
  readonly keepAlive: boolean;
}

export class OwnAnswer {
  keepAlive = true;
  #problem: ErrorCode | null = null;
  /** Made with the first request for a file. */
  #file: FileAnswer | null = null;

  constructor(
    readonly client: ClientConnection,
    readonly record: Record,
    readonly changes: Changes,
  ) {}

  /** After BROKEN_OFF: why. */
  get problem(): ErrorCode {
    return this.#problem ?? this.#file!.problem;
  }

  start(route: LiveRoute, { values, minor, headRequest, keepAlive }: Asked): Sent {
    this.#problem = null;
    this.keepAlive = keepAlive;
    const { action, snapshot: { compress } } = route;
    const { environment, stream, listener } = this.client;
    const { compressors } = environment;
    const wish = compress === undefined ? null : wishOf(compress, values.facts, compressors.encodings);
    if (action.kind !== "files") {
      const answer = routeAnswer(route, values)!;
      const encoded = wish === null ? answer : encodedAnswer(answer, wish, compressors, route.encodedBodies);
      return this.#whole(encoded, headRequest);
    }
    this.#file ??= new FileAnswer(environment, stream, this.record);
    const compression = wish === null ? null : fileCompression(wish, compressors);
    const connection = { keepAlive, minor, hsts: listener.live.snapshot.hsts, compression };
    const sent = this.#file.start(action, values.facts, connection, this.changes.amend());
    if (typeof sent === "number") return sent;
    if ("answer" in sent) return this.#whole(sent.answer, headRequest);
    this.#problem = sent.code;
    return BROKEN_OFF;
  }

  /** Answers as somebody else has decided. */
  give(answer: Answer, headRequest: boolean, keepAlive: boolean): Sent {
    this.keepAlive = keepAlive;
    return this.#whole(answer, headRequest);
  }

  onDrain(): Sent {
    return this.#file!.onDrain();
  }

  /** The deadline of a stream without room has passed; WAITS: it has moved on meanwhile. */
  onDeadline(): Sent {
    if (this.#file!.progressed()) return WAITS;
    this.#problem = this.client.stream.blocked ? "clientStalled" : "upstreamStalled";
    return BROKEN_OFF;
  }

  close(): void {
    this.#file?.close();
  }

  #whole(answer: Answer, headRequest: boolean): Sent {
    this.record.status = answer.status;
    this.client.answering.answer(answer, this.keepAlive, headRequest, this.changes.amend());
    return SENT_ALL;
  }
}
