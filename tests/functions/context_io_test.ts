import { contextOf } from "../../mod/functions/context_io.ts";
import { assertEquals, assertThrows } from "../assert.ts";

const request = () =>
  new Request("http://a.test/", { method: "POST", body: "body", headers: { "x-forwarded-for": "1, 2" } });

Deno.test("FunctionContext tells the client, and passes on to the first pool or to the one that is named", () => {
  const context = contextOf(request(), ["app", "beta"]);
  assertEquals(context.remoteAddr.hostname, "2");
  assertEquals([...context.next().headers], [["tandem-next", "app"]]);
  const changes = { set: { "X-User": "ada" }, remove: ["cookie", "x-b"] };
  assertEquals([...context.next("beta", changes).headers], [
    ["tandem-next", "beta"],
    ["tandem-remove", "cookie, x-b"],
    ["tandem-request-x-user", "ada"],
  ]);
});

Deno.test("FunctionContext says why a request cannot be passed on", async () => {
  const context = contextOf(request(), ["app"]);
  assertThrows(() => contextOf(request(), []).next(), TypeError, "the route has no `next`");
  assertThrows(() => context.next("other"), TypeError, 'does not name the pool "other"');
  assertThrows(
    () => context.next("app", { remove: ["Content-Length"] }),
    TypeError,
    "not for functions to change",
  );
  assertThrows(
    () => context.next("app", { set: { host: "b" } }),
    TypeError,
    "host is not for functions to change",
  );
  assertThrows(() => context.next("app", { set: { "x y": "b" } }), TypeError);
  const read = request();
  await read.text();
  assertThrows(() => contextOf(read, ["app"]).next(), TypeError, "its body has been read");
});
