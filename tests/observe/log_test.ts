import { assert, assertEquals, assertMatch } from "../assert.ts";
import { logger, logLevel } from "../../mod/observe/log.ts";
import { setUpLog } from "../../mod/observe/log_io.ts";

function written(format: "text" | "json", level: string, speak: () => void): string[] {
  const lines: string[] = [];
  const flush = setUpLog({ level, format, write: (line) => lines.push(line) });
  speak();
  flush();
  return lines;
}

Deno.test("logger() writes one line of text with fields, quoted where needed", () => {
  const [line] = written("text", "info", () => {
    logger("health").info("server is {down}", { pool: "app", reason: 'said "no"', n: 3, skip: undefined });
  });
  assertMatch(line!, /^\d{4}-\d\d-\d\dT[\d:.]{12}Z info {4}health: /);
  assertEquals(
    line!.slice(line!.indexOf("health")),
    'health: server is {down} pool=app reason="said \\"no\\"" n=3\n',
  );
});

Deno.test("logger() never lets a field make a line or reach the terminal", () => {
  const [line, ...more] = written("text", "info", () => {
    logger("proxy").warning("odd\nhead", { target: "/\n2026 info fake: x\x1b[31m\u202e", "a b": "x=y" });
  });
  assertEquals(more, []);
  assertMatch(line!, /^[ -~]+\n$/);
  assertMatch(line!, /odd\\u000ahead target="\/\\u000a2026 info fake: x\\u001b\[31m\\u202e" a_b="x=y"\n$/);
});

Deno.test("logger() writes JSON with the fields beside the message", () => {
  const [line] = written("json", "debug", () => {
    logger("config").debug("read", {
      level: "x",
      count: 2n,
      error: new Error("a", { cause: new Error("b") }),
    });
  });
  const { time, ...rest } = JSON.parse(line!);
  assert(!Number.isNaN(Date.parse(time)));
  assertEquals(rest, {
    level: "debug",
    category: "config",
    message: "read",
    level_: "x",
    count: "2",
    error: "a: b",
  });
});

Deno.test("setUpLog() writes from the level on that is asked for", () => {
  const lines = written("text", "warn", () => {
    const log = logger("x");
    log.debug("1");
    log.info("2");
    log.warning("3");
    log.error("4");
  });
  assertEquals(lines.map((line) => line.at(-2)), ["3", "4"]);
});

Deno.test("setUpLog() holds repeated messages back, each server's for itself", () => {
  const lines = written("json", "info", () => {
    for (let n = 0; n < 30; n++) {
      for (const server of ["a", "b"]) logger("proxy").warning("refused", { server });
    }
  });
  assertEquals(lines.length, 22);
  const last = JSON.parse(lines[21]!);
  assertEquals(last.message, "refused (and 20 more in the last 10 s)");
  assertEquals([last.server, last.repeated, last.level], ["b", 20, "warning"]);
});

Deno.test("logLevel() knows the levels of the configuration", () => {
  assertEquals(["debug", "info", "warn", "warning", "error", "loud"].map(logLevel), [
    "debug",
    "info",
    "warning",
    "warning",
    "error",
    null,
  ]);
});
