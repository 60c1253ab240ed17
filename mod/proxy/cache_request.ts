/** The request of a route with a cache, composed: what it says, and how it is made to ask whether an answer is still good. */
import type { Field, Terms } from "../cache/storing.ts";
import { Head, MAX_FIELDS, parseRequestHead } from "../http1/head.ts";
import { fieldValue } from "./facts.ts";
import type { UpstreamRequest } from "./request_head.ts";
import { insertLine, removeFields } from "./request_lines.ts";

/** Room that `askWhetherGood` needs behind a request: for a tag (`mod/cache/storing.ts`), a date and their names. */
export const CACHE_ROOM = 512;
/** A client's conditions are about what it has, not about what is stored here. */
const CONDITIONS = ["if-none-match", "if-modified-since", "range", "if-range"];

/** One a worker. */
const scratch = new Head();

/** Reads fields of a request as a server sees it, during the call alone; the head is read with the first. */
export function sentField(request: UpstreamRequest): Field {
  let parsed = false;
  return (name) => {
    const { bytes } = request.lease!;
    if (!parsed) parseRequestHead(scratch, bytes, 0, request.length, MAX_FIELDS);
    parsed = true;
    return fieldValue(scratch, bytes, name);
  };
}

/** RFC 9111 section 4.3.1: by its tag, and by its date for servers that know no tags. */
export function askWhetherGood(request: UpstreamRequest, { etag, lastModified }: Terms): void {
  removeConditions(request);
  if (etag !== "") insertLine(request, `If-None-Match: ${etag}`);
  if (lastModified !== "") insertLine(request, `If-Modified-Since: ${lastModified}`);
}

/** Has the request want the whole answer. */
export function removeConditions(request: UpstreamRequest): void {
  removeFields(request, CONDITIONS);
}

/** True when there is something to ask by. */
export function hasValidator({ etag, lastModified }: Terms): boolean {
  return etag !== "" || lastModified !== "";
}
