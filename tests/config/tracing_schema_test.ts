import { assertEquals, assertMatch } from "../assert.ts";
import { errors, good, SMALLEST } from "./reading.ts";

const tracing = (fields: string) => `${SMALLEST}\ntracing: { ${fields} }`;

Deno.test("TracingSchema is off by itself, and complete with an endpoint alone", async () => {
  assertEquals((await good(SMALLEST)).tracing, undefined);
  assertEquals((await good(tracing('endpoint: "http://127.0.0.1:4318"'))).tracing, {
    endpoint: "http://127.0.0.1:4318/v1/traces",
    sample: 0.01,
    parents: "trusted",
    service: "tandem",
    headers: {},
  });
});

Deno.test("TracingSchema takes a URL with a path as it is", async () => {
  const { tracing: read } = await good(
    tracing('endpoint: "https://c.test/otlp/v1/traces?a=1", sample: 0.5, headers: { X-Key: k }'),
  );
  assertEquals([read?.endpoint, read?.sample, read?.headers], [
    "https://c.test/otlp/v1/traces?a=1",
    0.5,
    { "X-Key": "k" },
  ]);
});

Deno.test("TracingSchema says what a collector's URL and the rest must be", async () => {
  for (const url of ["127.0.0.1:4318", "grpc://c.test:4317", "http://user:secret@c.test", "http://"]) {
    const [error = ""] = await errors(tracing(`endpoint: "${url}"`));
    assertMatch(error, /tracing\.endpoint: must be the URL of a collector/, url);
  }
  const wrong = await errors(
    tracing('endpoint: "http://c.test", sample: 200%, parents: some, headers: { "a b": x, Good: "q\\nr" }'),
  );
  assertEquals(wrong.map((line) => /» ([^ ]*\[.*\]|\S+):/.exec(line)?.[1]), [
    "tracing.sample",
    "tracing.parents",
    'tracing.headers["a b"]',
    "tracing.headers.Good",
  ]);
});
