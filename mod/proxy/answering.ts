/**
 * Writes Tandem's own answers to the requests of one client connection: what a route answers, and errors. It must not
 * know when there is one to give.
 */
import { type ErrorCode, ERRORS } from "../base/errors.ts";
import type { Denial } from "../guard/guard.ts";
import { type Amend, type Answer, answerBytes, errorAnswer, grpcAnswer } from "../http/answer.ts";
import { latin1 } from "../http/grammar.ts";
import type { Stream } from "../net/stream.ts";
import type { ListenerState, ProxyEnvironment } from "./environment.ts";
import type { LivePages } from "./error_pages.ts";
import type { Record } from "./record.ts";
import type { UpstreamRequest } from "./request_head.ts";

interface AnsweredClient {
  readonly environment: ProxyEnvironment;
  readonly listener: ListenerState;
  readonly stream: Stream;
}

export class Answering {
  /** Minor version of the request that is answered. */
  minor = 1;

  constructor(
    readonly client: AnsweredClient,
    readonly request: UpstreamRequest,
    readonly record: Record,
  ) {}

  /** `amend`: what rules make of the head; null: nothing. */
  answer(answer: Answer, keepAlive: boolean, bodyless: boolean, amend: Amend | null): void {
    const { environment, listener, stream } = this.client;
    const bytes = answerBytes(answer, {
      date: environment.httpDate(),
      keepAlive,
      minor: this.minor,
      bodyless,
      hsts: listener.live.snapshot.hsts,
      amend,
    });
    this.record.bytesOut += bytes.length;
    stream.write(bytes);
  }

  /** `denial`: what a guard has to say beyond the code. */
  error(
    code: ErrorCode,
    keepAlive: boolean,
    bodyless: boolean,
    pages: LivePages | null,
    amend: Amend | null,
    denial: Denial | null = null,
  ): void {
    const { text } = ERRORS[code];
    const status = denial?.status ?? ERRORS[code].status;
    this.record.status = status;
    // No page could tell a client of gRPC what went wrong.
    const answer = this.client.stream.http2 === true && asksGrpc(this.request)
      ? grpcAnswer(status, text)
      : pages?.page(status) ?? errorAnswer(status, text);
    const fields = (answer.fields ?? "") + (denial?.fields ?? "");
    this.answer({ ...answer, fields }, keepAlive, bodyless, amend);
  }
}

/** True for a request of gRPC, as far as one was read. */
function asksGrpc({ lease, length }: UpstreamRequest): boolean {
  return lease !== null && /\r\ncontent-type: application\/grpc/i.test(latin1(lease.bytes, 0, length));
}
