/** What is said of a request head that cannot be used. */
import type { ErrorCode } from "../base/errors.ts";
import { DONE, type Head, MORE, type Progress, TOO_MANY_FIELDS, VERSION } from "../http1/head.ts";

/** The error for a head that cannot be used. */
export function headProblem(
  progress: Progress,
  head: Head,
  bytes: Uint8Array,
  at: number,
  end: number,
  limit: number,
): ErrorCode {
  if (progress === VERSION) return "versionUnsupported";
  if (progress === TOO_MANY_FIELDS) return "headTooLarge";
  if (progress === DONE) return head.targetEnd - at > limit ? "uriTooLong" : "headTooLarge";
  if (progress !== MORE) return "badRequest";
  // Too long without an end: was it the request line or the fields?
  const line = bytes.indexOf(0x0a, at);
  return line < 0 || line >= end ? "uriTooLong" : "headTooLarge";
}
