/** A strict reader of OTLP's JSON, for tests: throws at whatever a collector would refuse, or would not understand. */
import { z } from "zod";
import { assertIsExportRequest } from "./otlp_proto.ts";

const value = z.union([
  z.strictObject({ stringValue: z.string() }),
  z.strictObject({ intValue: z.int() }),
  z.strictObject({ doubleValue: z.number() }),
]);
const attributes = z.array(z.strictObject({ key: z.string().regex(/^[a-z][a-z0-9_.]*$/), value })).transform(
  (list) => {
    const read = Object.fromEntries(
      list.map(({ key, value }) => [key, Object.values(value)[0] as string | number]),
    );
    if (Object.keys(read).length !== list.length) throw new Error("an attribute stands twice");
    return read;
  },
);
const id = (digits: number) => z.string().regex(new RegExp(`^(?!0+$)[0-9a-f]{${digits}}$`));
const nanoseconds = z.string().regex(/^[0-9]{1,19}$/);

/** https://github.com/open-telemetry/opentelemetry-proto, `Span` of trace.proto, as its JSON encoding is specified. */
const Span = z.strictObject({
  traceId: id(32),
  spanId: id(16),
  parentSpanId: id(16).optional(),
  // An id in it, or what a client may choose, would make names without end.
  name: z.string().regex(/^([A-Z]+( .+)?|(tcp|udp) .+)$/s),
  kind: z.literal(2),
  startTimeUnixNano: nanoseconds,
  endTimeUnixNano: nanoseconds,
  attributes,
  status: z.strictObject({ code: z.literal(2) }).optional(),
}).refine(({ startTimeUnixNano, endTimeUnixNano }) => BigInt(startTimeUnixNano) <= BigInt(endTimeUnixNano));

const ExportRequest = z.strictObject({
  resourceSpans: z.tuple([z.strictObject({
    resource: z.strictObject({ attributes }),
    scopeSpans: z.tuple([z.strictObject({
      scope: z.strictObject({ name: z.literal("tandem"), version: z.string() }),
      spans: z.array(Span).min(1),
    })]),
  })]),
});

export type ReadSpan = z.output<typeof Span>;

export function readSpan(json: unknown): ReadSpan {
  return Span.parse(json);
}

/** The body of a request of OTLP/HTTP: whose spans they are, and the spans. */
export function readExport(text: string): { resource: Record<string, string | number>; spans: ReadSpan[] } {
  assertIsExportRequest(text);
  const [{ resource, scopeSpans: [{ spans }] }] = ExportRequest.parse(JSON.parse(text)).resourceSpans;
  return { resource: resource.attributes, spans };
}
