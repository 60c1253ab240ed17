import { HeldBodies } from "../../mod/functions/held_bodies_io.ts";
import { assertEquals, assertRejects } from "../assert.ts";

const ask = (held: HeldBodies) =>
  held.respond(
    new Request("http://a.test/", { method: "POST", headers: { "tandem-body": "held", "x-a": "1" } }),
  );
const send = (held: HeldBodies, word: string) =>
  held.respond(
    new Request("http://a.test/", { method: "POST", headers: { "tandem-body": word }, body: "body" }),
  );

Deno.test("HeldBodies asks for a body when it is read, and answers the request that brings it", async () => {
  let calls = 0;
  const held = new HeldBodies(async (request) => {
    calls++;
    assertEquals([...request.headers], [["x-a", "1"]]);
    return new Response(`got ${await request.text()}`);
  }, 10_000);
  const first = await ask(held);
  assertEquals([first.status, first.body], [200, null]);
  const answer = await send(held, first.headers.get("tandem-body")!);
  assertEquals([await answer.text(), calls], ["got body", 1]);
});

Deno.test("HeldBodies answers at once what is not read, and what was never held", async () => {
  const held = new HeldBodies((request) => Promise.resolve(new Response(request.method)), 10_000);
  assertEquals(await (await ask(held)).text(), "POST");
  assertEquals(await (await held.respond(new Request("http://a.test/"))).text(), "GET");
  assertEquals((await send(held, "guessed")).status, 400);
});

Deno.test("HeldBodies does not wait forever for a body", async () => {
  const read = Promise.withResolvers<string>();
  const held = new HeldBodies(async (request) => {
    request.text().then(read.resolve, read.reject);
    await read.promise.catch(() => {});
    return new Response();
  }, 10);
  const first = await ask(held);
  await assertRejects(() => read.promise, Error, "the client is gone");
  assertEquals((await send(held, first.headers.get("tandem-body")!)).status, 400);
});

Deno.test("HeldBodies asks for a body that goes back while it comes", async () => {
  const echoes: ((request: Request) => Response)[] = [
    (request) => new Response(request.body),
    (request) => new Response(request.body!.pipeThrough(new TransformStream())),
    (request) => new Response(request.clone().body),
    (request) => {
      const { body } = request;
      async function* later() {
        yield new Uint8Array();
        for await (const chunk of body!) yield chunk;
      }
      return new Response(ReadableStream.from(later()));
    },
  ];
  for (const echo of echoes) {
    const held = new HeldBodies((request) => Promise.resolve(echo(request)), 10_000);
    const first = await ask(held);
    assertEquals([first.body, held.waits], [null, true]);
    assertEquals(await (await send(held, first.headers.get("tandem-body")!)).text(), "body");
    assertEquals(held.waits, false);
  }
});

Deno.test("HeldBodies does without a body that was only looked at", async () => {
  const held = new HeldBodies((request) => {
    return Promise.resolve(new Response(null, { status: request.body === null ? 400 : 204 }));
  }, 10_000);
  const first = await ask(held);
  assertEquals([first.status, first.headers.has("tandem-body")], [204, false]);
});

Deno.test("HeldBodies leaves the bodies of GET and HEAD where they are", async () => {
  const held = new HeldBodies(
    async (request) => new Response(`${request.method} ${await request.text()}`),
    10_000,
  );
  for (const method of ["GET", "HEAD"]) {
    const answer = await held.respond(
      new Request("http://a.test/", { method, headers: { "tandem-body": "held" } }),
    );
    assertEquals(await answer.text(), `${method} `);
  }
});

Deno.test("HeldBodies says so when a body is taken after the answer", async () => {
  const late = Promise.withResolvers<void>();
  const read = Promise.withResolvers<string>();
  const held = new HeldBodies((request) => {
    void late.promise.then(() => request.text()).then(read.resolve, read.reject);
    return Promise.resolve(new Response("at once"));
  }, 10_000);
  assertEquals(await (await ask(held)).text(), "at once");
  late.resolve();
  await assertRejects(() => read.promise, TypeError, "must be taken before");
});
