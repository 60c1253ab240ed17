import { Counters, SERVER_COLUMN } from "../../mod/base/counters.ts";
import { passiveCounts } from "../../mod/runtime/status.ts";
import { assertEquals } from "../assert.ts";

Deno.test("passiveCounts() takes a switch of protocols for an answer, and connections where there is no HTTP", () => {
  const size = { servers: 1, listeners: 1, traffic: 1, workers: 1 };
  const counters = new Counters(new SharedArrayBuffer(Counters.byteLength(size)), size, 0);
  for (const name of ["responses1xx", "responses2xx", "responses5xx", "connections"] as const) {
    counters.addServer(0, SERVER_COLUMN[name], 1);
  }
  assertEquals(passiveCounts(counters, 0, false).answers, 3);
  assertEquals(passiveCounts(counters, 0, true).answers, 4);
});
