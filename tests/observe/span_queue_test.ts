import { exportRequest, MAX_BATCH, MAX_SPANS, refusedOf, SpanQueue } from "../../mod/observe/span_queue.ts";
import { assertEquals } from "../assert.ts";

const lines = (count: number, text = "{}") => `${text}\n`.repeat(count);

Deno.test("SpanQueue() gives out the oldest in batches, and counts what becomes of them", () => {
  const queue = new SpanQueue();
  queue.push("{1}\n{2}\n{3}\n", 5);
  assertEquals(queue.take(), ["{1}", "{2}", "{3}"]);
  queue.push("{4}\n", 0);
  queue.settle("later");
  assertEquals([queue.length, queue.take()], [4, ["{1}", "{2}", "{3}", "{4}"]]);
  queue.push("{5}\n", 0);
  queue.settle("exported");
  assertEquals(queue.take(), ["{5}"]);
  queue.push("{6}\n", 0);
  queue.clear();
  queue.settle("failed");
  assertEquals([queue.take(), queue.counts], [[], { exported: 4, failed: 1, dropped: 6 }]);
});

Deno.test("SpanQueue() holds no more than it may, by number and by size, and gives up the newest", () => {
  const queue = new SpanQueue();
  queue.push("{first}\n" + lines(MAX_SPANS + 2), 0);
  assertEquals([queue.length, queue.counts.dropped], [MAX_SPANS, 3]);
  const batch = queue.take();
  assertEquals([batch.length, batch[0]], [MAX_BATCH, "{first}"]);
  queue.push(lines(1), 0);
  assertEquals([queue.length, queue.counts.dropped], [MAX_SPANS - MAX_BATCH, 4]);
  queue.settle("exported");
  queue.clear();
  const { dropped } = queue.counts;
  queue.push(lines(3, "x".repeat(2 * 1024 * 1024)), 0);
  assertEquals([queue.length, queue.counts.dropped], [2, dropped + 1]);
  queue.clear();
  assertEquals([queue.length, queue.counts.dropped], [0, dropped + 3]);
  queue.push(lines(1, "x".repeat(3 * 1024 * 1024)), 0);
  assertEquals(queue.length, 1);
});

Deno.test("exportRequest() is JSON whatever the names are", () => {
  const request = JSON.parse(
    exportRequest({ service: 'a"b\n', version: "1", node: "n" }, ['{"a":1}', '{"b":2}']),
  );
  assertEquals(request.resourceSpans[0].resource.attributes[0], {
    key: "service.name",
    value: { stringValue: 'a"b\n' },
  });
  assertEquals(request.resourceSpans[0].scopeSpans[0].spans, [{ a: 1 }, { b: 2 }]);
});

Deno.test("refusedOf() reads what a collector did not take, and nothing from what is no such answer", () => {
  const body = (partialSuccess: unknown) => JSON.stringify({ partialSuccess });
  assertEquals(refusedOf(body({ rejectedSpans: 3, errorMessage: "late" })), { refused: 3, reason: "late" });
  assertEquals(refusedOf(body({ rejectedSpans: "3" })), { refused: 3, reason: "" });
  for (
    const text of [
      "",
      "{}",
      "null",
      "[",
      body(null),
      body({ rejectedSpans: -1 }),
      body({ rejectedSpans: "x" }),
    ]
  ) {
    assertEquals(refusedOf(text), { refused: 0, reason: "" }, text);
  }
});

Deno.test("SpanQueue() counts no more refused than were sent", () => {
  const queue = new SpanQueue();
  queue.push("1\n2\n", 0);
  queue.take();
  queue.settle("exported", 5);
  assertEquals(queue.counts, { exported: 0, failed: 2, dropped: 0 });
});
