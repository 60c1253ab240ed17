import { LISTENER_CAPACITY, POOL_CAPACITY, SERVER_CAPACITY } from "../../mod/base/shared_memory.ts";
import { assertEquals } from "../assert.ts";
import { errors, LISTENER, POOL } from "./reading.ts";

function many(count: number, item: (at: number) => string): string {
  return Array.from({ length: count }, (_, at) => item(at)).join(", ");
}

const listeners = (count: number) =>
  `listeners: [${many(count, (at) => `{ name: l${at}, bind: ":${at + 1}", pool: app }`)}]\n${POOL}`;
const pools = (count: number) =>
  `${LISTENER}\npools: { app: { servers: ["a:1"] }, ${
    many(count - 1, (at) => `p${at}: { servers: ["a:1"] }`)
  } }`;
const servers = (count: number) =>
  `${LISTENER}\npools: { app: { servers: [${many(count, (at) => `"h${at}.test:1"`)}] } }`;

Deno.test("checkCapacity() takes what fits into shared memory, and nothing more", async () => {
  const cases: [text: (count: number) => string, capacity: number, problem: string][] = [
    [listeners, LISTENER_CAPACITY, "1:1 «listeners» listeners: must hold at most 256 listeners, and has 257"],
    [pools, POOL_CAPACITY, "2:1 «pools» pools: must hold at most 1024 pools, and has 1025"],
    [servers, SERVER_CAPACITY, "2:1 «pools» pools: must hold at most 4096 servers, and has 4097"],
  ];
  for (const [text, capacity, problem] of cases) {
    assertEquals(await errors(text(capacity)), []);
    assertEquals(await errors(text(capacity + 1)), [problem]);
  }
});
