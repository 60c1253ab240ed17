/**
 * Sends spans to a collector of OpenTelemetry by OTLP over HTTP, from the control thread, a batch at a time.
 *
 * What waits is bounded; a collector that fails is asked again, less and less often, and what it refuses for good is
 * given up. Traffic never waits for any of it.
 */
import type { TracingConfig } from "../config/tracing_schema.ts";
import type { Log } from "../observe/log.ts";
import {
  exportRequest,
  MAX_BATCH,
  refusedOf,
  type SpanCounts,
  SpanQueue,
  type SpanSource,
} from "../observe/span_queue.ts";

/** How long spans may wait for others to go with them. */
const GATHER_MS = 1000;
const ANSWER_MS = 10_000;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;
/** How long the end of the process waits for it. */
const LAST_WORDS_MS = 2000;
/** Of an answer no more is read: what it says of spans that were refused is short. */
const MAX_ANSWER_CHARS = 64 * 1024;
/** https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes */
const RETRYABLE = [429, 502, 503, 504];

type Sent = "exported" | "failed" | "later";

export class SpanExporter {
  readonly #queue = new SpanQueue();
  readonly #source: Omit<SpanSource, "service">;
  readonly #log: Log;
  #config: TracingConfig | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #sending: Promise<void> | null = null;
  /** The request under way, or the last one. */
  #attempt = new AbortController();
  #pauseMs = FIRST_PAUSE_MS;
  /** The collector failed, and is to be left alone for a while. */
  #pausing = false;
  /** What it failed of last, which was told. */
  #told = "";

  constructor(source: Omit<SpanSource, "service">, log: Log) {
    this.#source = source;
    this.#log = log;
  }

  /** Null: nothing is, or ever was, to be sent. */
  get counts(): SpanCounts | null {
    const { counts } = this.#queue;
    const none = this.#config === null && counts.exported + counts.failed + counts.dropped === 0;
    return none ? null : counts;
  }

  configure(config: TracingConfig | null): void {
    this.#config = config;
    if (config === null) this.#queue.clear();
    else if (this.#queue.length > 0) this.#send();
  }

  /** Takes lines of a worker, one a span. `lost`: spans that it had no room for. */
  push(bytes: Uint8Array<ArrayBuffer>, lost: number): void {
    this.#queue.push(new TextDecoder().decode(bytes), lost);
    if (this.#config === null) return this.#queue.clear();
    if (this.#queue.length >= MAX_BATCH && !this.#pausing) this.#send();
    else this.#wait(GATHER_MS);
  }

  /** Sends what is left, if the collector takes it soon. */
  async close(): Promise<void> {
    const over = setTimeout(() => this.#attempt.abort(), LAST_WORDS_MS);
    await this.#sending;
    clearTimeout(this.#timer);
    const config = this.#config;
    this.#config = null;
    if (config !== null && !this.#pausing && this.#queue.length > 0) await this.#sendBatch(config);
    clearTimeout(over);
  }

  #wait(ms: number): void {
    if (this.#timer !== undefined || this.#sending !== null) return;
    this.#timer = setTimeout(() => this.#send(), ms);
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#pausing = false;
    if (this.#sending !== null || this.#config === null) return;
    this.#sending = this.#sendBatch(this.#config).then((sent) => {
      this.#sending = null;
      if (sent === "later") {
        this.#pausing = true;
        this.#wait(this.#pauseMs);
        this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2);
      } else {
        this.#pauseMs = FIRST_PAUSE_MS;
        if (this.#queue.length > 0) this.#wait(this.#queue.length >= MAX_BATCH ? 0 : GATHER_MS);
      }
    });
  }

  async #sendBatch({ endpoint, headers, service }: TracingConfig): Promise<Sent> {
    const body = exportRequest({ ...this.#source, service }, this.#queue.take());
    const { sent, refused = 0 } = await this.#post(endpoint, headers, body);
    this.#queue.settle(sent, refused);
    return sent;
  }

  async #post(
    endpoint: string,
    headers: Readonly<Record<string, string>>,
    body: string,
  ): Promise<{ readonly sent: Sent; readonly refused?: number }> {
    const attempt = this.#attempt = new AbortController();
    const late = () => attempt.abort(new Error(`no answer within ${ANSWER_MS / 1000} s`));
    const timer = setTimeout(late, ANSWER_MS);
    try {
      const response = await fetch(endpoint, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body,
        redirect: "manual",
        signal: attempt.signal,
      });
      if (response.ok) {
        const { refused, reason } = refusedOf(await textOf(response));
        this.#tell(refused === 0 ? "" : `it refuses some: ${reason}`);
        return { sent: "exported", refused };
      }
      // What the status says holds, however its body ends.
      await response.body?.cancel().catch(() => {});
      this.#tell(`it answers ${response.status}`);
      return { sent: RETRYABLE.includes(response.status) ? "later" : "failed" };
    } catch (error) {
      this.#tell((error as Error).message);
      return { sent: "later" };
    } finally {
      clearTimeout(timer);
    }
  }

  /** Once, and not with every batch. */
  #tell(problem: string): void {
    if (problem === this.#told) return;
    if (problem === "") this.#log.info("the collector takes spans again");
    else this.#log.warning("the collector does not take spans", { reason: problem });
    this.#told = problem;
  }
}

/** Nothing of an answer that is too long or breaks off: its status has said that the spans were taken. */
async function textOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length > MAX_ANSWER_CHARS) return "";
    }
  } catch {
    return "";
  }
  return text;
}
