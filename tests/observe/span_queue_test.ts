import { exportRequest, MAX_BATCH, MAX_SPANS, SpanQueue } from "../../mod/observe/span_queue.ts";
import { assertEquals } from "../assert.ts";

const lines = (count: number, text = "{}") => `${text}\n`.repeat(count);

Deno.test("SpanQueue() gives out the oldest in batches, and counts what becomes of them", () => {
  const queue = new SpanQueue();
  queue.push("{1}\n{2}\n{3}\n", 5);
  assertEquals(queue.batch(), ["{1}", "{2}", "{3}"]);
  queue.settle(2, "exported");
  assertEquals(queue.batch(), ["{3}"]);
  queue.settle(1, "failed");
  assertEquals([queue.batch(), queue.counts], [[], { exported: 2, failed: 1, dropped: 5 }]);
});

Deno.test("SpanQueue() holds no more than it may, by number and by size, and gives up the newest", () => {
  const queue = new SpanQueue();
  queue.push("{first}\n" + lines(MAX_SPANS + 2), 0);
  assertEquals([queue.length, queue.counts.dropped], [MAX_SPANS, 3]);
  assertEquals([queue.batch().length, queue.batch()[0]], [MAX_BATCH, "{first}"]);
  queue.settle(MAX_SPANS, "exported");
  queue.push(lines(3, "x".repeat(2 * 1024 * 1024)), 0);
  assertEquals([queue.length, queue.counts.dropped], [2, 4]);
  queue.clear();
  assertEquals([queue.length, queue.counts.dropped], [0, 6]);
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
