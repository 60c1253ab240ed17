/**
 * Spans that wait for a collector: bounded, given out in batches, and counted, whatever becomes of them.
 *
 * A collector that is slow or gone costs spans, never memory or traffic: the newest are given up. Pure.
 */
import { z } from "zod";

/** As the SDKs of OpenTelemetry have it (OTEL_BSP_MAX_QUEUE_SIZE, OTEL_BSP_MAX_EXPORT_BATCH_SIZE): 2048 and 512. */
export const MAX_SPANS = 2048;
export const MAX_BATCH = 512;
/** A span may quote long targets. */
const MAX_CHARS = 4 * 1024 * 1024;

export interface SpanCounts {
  readonly exported: number;
  /** The collector did not want them. */
  readonly failed: number;
  /** They were too many. */
  readonly dropped: number;
}

export class SpanQueue {
  #waiting: string[] = [];
  /** On their way to the collector. */
  #sent: readonly string[] = [];
  /** Of those that wait. */
  #chars = 0;
  #exported = 0;
  #failed = 0;
  #dropped = 0;

  get counts(): SpanCounts {
    return { exported: this.#exported, failed: this.#failed, dropped: this.#dropped };
  }

  /** Spans that wait to be sent. */
  get length(): number {
    return this.#waiting.length;
  }

  /** Takes lines of a worker, one a span. `lost`: spans that it had no room for. */
  push(lines: string, lost: number): void {
    this.#dropped += lost;
    for (const span of lines.split("\n")) {
      if (span === "") continue;
      const count = this.#waiting.length + this.#sent.length;
      if (count >= MAX_SPANS || this.#chars + span.length > MAX_CHARS) this.#dropped++;
      else {
        this.#waiting.push(span);
        this.#chars += span.length;
      }
    }
  }

  /** Takes the oldest, as one request may carry them, until `settle` says what became of them. */
  take(): readonly string[] {
    this.#sent = this.#waiting.splice(0, MAX_BATCH);
    for (const span of this.#sent) this.#chars -= span.length;
    return this.#sent;
  }

  /**
   * What became of those taken last: the collector has them, all but `refused`, or never will, or is to be asked again.
   */
  settle(outcome: "exported" | "failed" | "later", refused = 0): void {
    const gone = this.#sent;
    this.#sent = [];
    if (outcome === "exported") {
      const failed = Math.min(refused, gone.length);
      this.#exported += gone.length - failed;
      this.#failed += failed;
    } else if (outcome === "failed") this.#failed += gone.length;
    else {
      this.#waiting = [...gone, ...this.#waiting];
      for (const span of gone) this.#chars += span.length;
    }
  }

  /** Nobody wants them any more. */
  clear(): void {
    this.#dropped += this.#waiting.length;
    this.#waiting = [];
    this.#chars = 0;
  }
}

const ExportResponse = z.object({
  partialSuccess: z.object({
    rejectedSpans: z.coerce.number().int().nonnegative().default(0),
    errorMessage: z.string().default(""),
  }),
});

/**
 * What a collector that took a request did not take of it, and why, from the body of its answer
 * (https://opentelemetry.io/docs/specs/otlp/#partial-success-1).
 */
export function refusedOf(body: string): { readonly refused: number; readonly reason: string } {
  try {
    const { partialSuccess } = ExportResponse.parse(JSON.parse(body));
    return { refused: partialSuccess.rejectedSpans, reason: partialSuccess.errorMessage };
  } catch {
    return { refused: 0, reason: "" };
  }
}

/** Whose spans they are. */
export interface SpanSource {
  readonly service: string;
  readonly version: string;
  readonly node: string;
}

/**
 * The body of a request of OTLP/HTTP with these spans, each JSON already
 * (https://opentelemetry.io/docs/specs/otlp/#otlphttp).
 */
export function exportRequest({ service, version, node }: SpanSource, spans: readonly string[]): string {
  const attributes = Object.entries({
    "service.name": service,
    "service.version": version,
    "service.instance.id": node,
  }).map(([key, value]) => ({ key, value: { stringValue: value } }));
  const resource = JSON.stringify({ attributes });
  const scope = JSON.stringify({ name: "tandem", version });
  return `{"resourceSpans":[{"resource":${resource},"scopeSpans":[{"scope":${scope},"spans":[${
    spans.join(",")
  }]}]}]}`;
}
