/**
 * Reads OTLP's JSON as a receiver does: with the code that OpenTelemetry's own SDK has of its .proto files.
 *
 * What the messages have no field for is lost on the way through their binary form, and of another type it is changed:
 * so whatever does not come back as it was is refused.
 */
import generated from "@opentelemetry/otlp-transformer/build/src/generated/root.js";
import { assertEquals } from "../assert.ts";

/** The part of a message of protobuf.js that is used here. */
interface MessageType {
  fromObject(json: unknown): object;
  encode(message: object): { finish(): Uint8Array };
  decode(bytes: Uint8Array): object;
  toObject(message: object, options: { longs: StringConstructor; bytes: StringConstructor }): unknown;
}

type Root = {
  opentelemetry: { proto: { collector: { trace: { v1: { ExportTraceServiceRequest: MessageType } } } } };
};

const { ExportTraceServiceRequest } = (generated as unknown as Root).opentelemetry.proto.collector.trace.v1;

/** Throws at a request of OTLP/HTTP that a receiver would refuse, or of which it would not understand everything. */
export function assertIsExportRequest(text: string): void {
  const sent = asProtobufHasIt(JSON.parse(text));
  const bytes = ExportTraceServiceRequest.encode(ExportTraceServiceRequest.fromObject(sent)).finish();
  const received = ExportTraceServiceRequest.toObject(ExportTraceServiceRequest.decode(bytes), {
    longs: String,
    bytes: String,
  });
  assertEquals(received, sent);
}

/** OTLP's JSON differs from protobuf's in its ids (hexadecimal); 64-bit integers may be numbers or texts in both. */
function asProtobufHasIt(json: unknown): unknown {
  return JSON.parse(JSON.stringify(json), (key, value) => {
    if (/^(trace|span|parentSpan)Id$/.test(key)) return Uint8Array.fromHex(value).toBase64();
    return key === "intValue" ? String(value) : value;
  });
}
