/**
 * The span of a connection of a tcp listener, or of a client of udp. There are no semantic conventions for them, so the
 * attributes are those of networks in general (https://opentelemetry.io/docs/specs/semconv/general/attributes/) and
 * `tandem.…`. Pure.
 */
import { type ErrorCode, ERRORS } from "../base/errors.ts";
import { putAscii, putText, textBound } from "../observe/put.ts";
import type { AccessRecord } from "./access_record.ts";
import { putClient, putOutcome, putString, textKey } from "./span_parts.ts";

const KEY = {
  transport: textKey("network.transport"),
  host: textKey("server.address"),
  route: textKey("tandem.route"),
};

/** The most bytes that it can need; the name is among them. */
export function connectionBound(record: AccessRecord): number {
  return textBound(record.listener) + textBound(record.route) + textBound(record.host);
}

/** By its listener: what its clients ask for is not known, or too many things. */
export function putConnectionName(bytes: Uint8Array, at: number, record: AccessRecord): number {
  return putText(bytes, putAscii(bytes, at, `${record.transport} `), record.listener, "json");
}

export function putConnection(bytes: Uint8Array, at: number, record: AccessRecord): number {
  at = putString(bytes, at, KEY.transport, record.transport);
  at = putString(bytes, at, KEY.host, record.host);
  at = putString(bytes, at, KEY.route, record.route);
  at = putClient(bytes, at, record);
  return putOutcome(bytes, at, record, record.error, hasFailed(record.error));
}

/** True where a server or the pool failed it: what a request would have been answered 5xx. */
function hasFailed(error: string): boolean {
  if (error === "") return false;
  const { side, status } = ERRORS[error as ErrorCode];
  return side === "upstream" || (side === "internal" && status >= 500);
}
