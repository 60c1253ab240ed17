/** The fields of `tracing`: which requests and connections are traced, and where their spans go. Pure. */
import { z } from "zod";
import { choice, line, share } from "./fields.ts";

/** RFC 9110 section 5.1 */
const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const HINT = "must be the URL of a collector of OpenTelemetry, such as http://127.0.0.1:4318";
/** What a collector has there, as a base URL in the environment of other programs is completed too. */
const DEFAULT_PATH = "/v1/traces";

const endpoint = line(1, 2048).transform((text, context): string => {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.hash !== "" || url.username !== "") {
    context.addIssue({ code: "custom", message: HINT });
    return z.NEVER;
  }
  if (url.pathname === "/") url.pathname = DEFAULT_PATH;
  return url.href;
}).meta({ kind: "url" });

export const TracingSchema = z.strictObject({
  endpoint: endpoint.describe(
    "URL of an OpenTelemetry collector that takes OTLP over HTTP; without a path: `/v1/traces`.",
  ),
  sample: share().prefault("1%").describe("Share of the traces that begin here whose spans are sent."),
  parents: choice("all", "trusted", "none").prefault("trusted").describe(
    "Whose `traceparent` is gone on with, sampled or not as it says: everybody's, that of `trustedProxies`, or nobody's.",
  ),
  service: line(1, 255).prefault("tandem").describe("What the spans are told to be of (`service.name`)."),
  headers: z.record(
    line(1, 100).regex(FIELD_NAME, "must be the name of a header"),
    line(0, 4096).meta({ kind: "secret" }),
  ).prefault({})
    .describe("Headers for the collector, such as `Authorization`."),
});

export type TracingConfig = z.output<typeof TracingSchema>;
