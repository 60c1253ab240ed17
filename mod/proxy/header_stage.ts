/**
 * Reads the PROXY header that stands before everything else on a connection from a proxy: from then on the stream
 * has the addresses that it tells. What follows the header goes to the next session as if it had come first.
 */
import { readProxyHeader } from "../net/proxy_protocol.ts";
import type { Stream } from "../net/stream.ts";
import type { ListenerState } from "./environment.ts";
import { type Session, Stage, type StageOwner } from "./stage.ts";

export class HeaderStage extends Stage {
  protected readonly timeout = "proxyHeaderTimeout";

  /** `next` makes what follows, with `stream` as its own. */
  constructor(owner: StageOwner, listener: ListenerState, stream: Stream, readonly next: () => Session) {
    super(owner, listener, stream);
  }

  onData(view: Uint8Array): void {
    const { held, stream } = this;
    const before = held.length;
    if (before > 0) held.append(view);
    const [bytes, start, end] = before > 0 ? [held.bytes, held.start, held.end] : [view, 0, view.length];
    const read = readProxyHeader(bytes, start, end);
    if (read.kind === "bad") return this.fail("badProxyHeader");
    if (read.kind === "more") {
      if (before === 0) held.append(view);
      return;
    }
    const { size, addresses } = read.header;
    if (addresses !== null) stream.setAddresses(addresses.source, addresses.destination);
    this.proceed(this.next);
    // The header ends in this view, else it would have been read before. Still during the call, so that whoever is
    // next may take the buffer over.
    const rest = view.subarray(size - before);
    if (rest.length > 0) stream.handler.onData(rest);
  }
}
