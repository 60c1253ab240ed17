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
