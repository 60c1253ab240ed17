import { assertEquals } from "../assert.ts";
import { errors, LISTENER, POOL, routesOf } from "./reading.ts";

Deno.test("checkReferences() a pool that is not there: what was meant, or what there is", async () => {
  assertEquals(await errors(`${LISTENER.replace("app", "ap")}\n${POOL}`), [
    '1:45 «ap» listeners[0].pool: names no pool: "ap"; did you mean "app"?',
  ]);
  assertEquals(await errors(`${LISTENER.replace("app", "zzz")}\n${POOL}`), [
    '1:45 «zzz» listeners[0].pool: names no pool: "zzz" (known: app)',
  ]);
  assertEquals(await errors(LISTENER), [
    '1:45 «app» listeners[0].pool: names no pool: "app" (there are none)',
  ]);
  assertEquals(await errors(routesOf("pool: nowhere")), [
    '5:15 «nowhere» listeners[0].routes[0].pool: names no pool: "nowhere" (known: app)',
  ]);
});

Deno.test("checkReferences() is told beside other problems of the same listener", async () => {
  const listeners = `listeners:
  - { name: web, bind: nonsense, pool: nope }
  - { name: web, bind: 5, pool: nope }`;
  assertEquals(await errors(`${listeners}\n${POOL}`), [
    '2:24 «nonsense» listeners[0].bind: must be ip:port, [v6]:port or :port, such as 0.0.0.0:8080, not "nonsense"',
    '2:40 «nope» listeners[0].pool: names no pool: "nope" (known: app)',
    '3:13 «web» listeners[1].name: is the name of another listener already: "web"',
    "3:24 «5» listeners[1].bind: must be ip:port, [v6]:port or :port, such as 0.0.0.0:8080 or a list, not 5",
    '3:33 «nope» listeners[1].pool: names no pool: "nope" (known: app)',
  ]);
});

Deno.test("checkReferences() a pool that is there and wrong is there", async () => {
  assertEquals(await errors(`${LISTENER}\npools: { app: { servers: [] } }`), [
    "2:26 «[]» pools.app.servers: must have at least one server",
  ]);
});

Deno.test("checkReferences() a name that is malformed is told once", async () => {
  assertEquals(await errors(`${LISTENER.replace("app", '"a b"')}\n${POOL}`), [
    '1:45 «"a b"» listeners[0].pool: must be a name of 1 to 100 letters, digits and . _ - : [ ], without spaces or slashes, not "a b"',
  ]);
  assertEquals(await errors(`${LISTENER.replace("web", '"a b"')}\n${POOL}`), [
    '1:21 «"a b"» listeners[0].name: must be a name of 1 to 100 letters, digits and . _ - : [ ], without spaces or slashes, not "a b"',
  ]);
});
