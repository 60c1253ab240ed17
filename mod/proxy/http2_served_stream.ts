/** A stream of a client's connection of HTTP/2, as the client's side of the proxy has it: requests come, answers go. */
import { AnswerReader } from "./http2_message.ts";
import type { RequestLines } from "./http2_request.ts";
import { Http2Stream } from "./http2_stream.ts";

export class ServedStream extends Http2Stream {
  protected readonly reader = new AnswerReader();
  #switched = false;

  /** Begins a request: its head goes to the session at once. */
  open(id: number, lines: RequestLines, hasBody: boolean, window: number): void {
    this.begin(id, window);
    this.remoteEnded = !hasBody;
    this.waiting = lines.websocket;
    this.#switched = false;
    this.reader.headRequest = lines.isHead;
    this.expect(lines.contentLength, lines.websocket || lines.contentLength >= 0);
    this.handler.onData(lines.bytes.subarray(lines.start, lines.at));
  }

  get takesBody(): boolean {
    return !this.remoteEnded;
  }

  override onSwitched(): void {
    this.#switched = true;
    super.onSwitched();
  }

  /** There are no answers without a request. */
  protected opens(): boolean {
    return false;
  }

  /** With the answer a request is over, read to its end or not; a tunnel has two ends. */
  protected settle(): void {
    if (this.localEnded && (!this.#switched || this.remoteEnded)) this.finish();
  }
}
