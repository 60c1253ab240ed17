/**
 * A small body of a request, kept behind its head in the same buffer: what came with its head goes in one write with
 * it, and the request can be sent again. It must not know of servers.
 */
import { FIXED } from "../http1/body.ts";
import type { RequestInfo } from "../http1/request.ts";
import { SMALL_BYTES } from "../net/buffers.ts";
import type { UpstreamRequest } from "./request_head.ts";

const KEPT_BYTES = SMALL_BYTES / 2;

export class KeptBody {
  /** Body bytes have left that are not kept: the request cannot be sent again. */
  lost = false;
  readonly #request: UpstreamRequest;
  /** Body bytes still to come for which there is room. */
  #room = 0;

  constructor(request: UpstreamRequest) {
    this.#request = request;
  }

  start(): void {
    this.lost = false;
    this.#room = 0;
  }

  /** How many bytes the body wants behind its head. */
  spare({ framing, contentLength }: RequestInfo): number {
    return framing === FIXED && contentLength <= KEPT_BYTES ? contentLength : 0;
  }

  /** Keeps the body that is in `bytes` from `at` on, and returns its size; 0: all of it is not there, or it is none to keep. */
  whole(info: RequestInfo, bytes: Uint8Array, at: number, end: number): number {
    const size = this.spare(info);
    if (end - at < size) {
      this.#room = size;
      return 0;
    }
    if (size === 0) return 0;
    const request = this.#request;
    request.lease!.bytes.set(bytes.subarray(at, at + size), request.length);
    request.length += size;
    return size;
  }

  /** Copies bytes that are about to leave; they count with `moved`. */
  copy(bytes: Uint8Array, at: number, end: number): void {
    const { lease, length } = this.#request;
    if (this.#room === 0 || lease === null) this.#room = 0;
    else lease.bytes.set(bytes.subarray(at, Math.min(end, at + this.#room)), length);
  }

  /** So many of them have left. */
  moved(size: number): void {
    if (this.#room === 0) this.lost = true;
    else {
      this.#request.length += size;
      this.#room -= size;
    }
  }
}
