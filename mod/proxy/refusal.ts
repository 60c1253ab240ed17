/** What a connection is that may not be there: it ends at once, counted and logged. */
import type { ErrorCode } from "../base/errors.ts";
import type { Stream } from "../net/stream.ts";
import type { ListenerState } from "./environment.ts";
import { Stage, type StageOwner } from "./stage.ts";

export class Refusal extends Stage {
  protected readonly timeout: ErrorCode;

  constructor(owner: StageOwner, listener: ListenerState, stream: Stream, readonly code: ErrorCode) {
    super(owner, listener, stream);
    this.timeout = code;
  }

  override start(): void {
    this.fail(this.code);
  }

  onData(): void {}
}
