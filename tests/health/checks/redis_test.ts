import { assertEquals } from "../../assert.ts";
import { heard, verdictOf } from "./talking.ts";

Deno.test("redis pings, and says what it was answered", () => {
  assertEquals(heard({ type: "redis" }, ["+PONG\r\n"]), {
    said: ["*1\r\n$4\r\nPING\r\n", ""],
    verdict: { ok: true, reason: "Redis answered +PONG" },
  });
  const ask = (answer: string, leaves = false) => verdictOf({ type: "redis" }, [answer], { leaves });
  assertEquals(
    ask("-NOAUTH Authentication required.\r\n"),
    "bad: Redis answered -NOAUTH Authentication required.",
  );
  assertEquals(ask("-LOADING Redis is loading\r\n"), "bad: Redis answered -LOADING Redis is loading");
  assertEquals(ask("HTTP/1.1 400 Bad Request\r\n"), "bad: the server does not speak Redis");
  assertEquals(ask("+PON"), "waits");
  assertEquals(ask("+PON", true), "bad: the server broke off its answer");
  assertEquals(ask("", true), "bad: the server closed the connection without an answer");
});

Deno.test("redis logs in first, where it has a password", () => {
  assertEquals(heard({ type: "redis", password: "gehäim" }, ["+OK\r\n", "+PONG\r\n"]), {
    said: ["*2\r\n$4\r\nAUTH\r\n$7\r\ngeh\xc3\xa4im\r\n", "*1\r\n$4\r\nPING\r\n", ""],
    verdict: { ok: true, reason: "Redis answered +PONG" },
  });
  const given = { type: "redis", user: "check", password: "geheim" };
  assertEquals(heard(given, []).said, ["*3\r\n$4\r\nAUTH\r\n$5\r\ncheck\r\n$6\r\ngeheim\r\n"]);
  assertEquals(
    verdictOf(given, ["-WRONGPASS invalid username-password pair\r\n"]),
    "bad: Redis answered -WRONGPASS invalid username-password pair",
  );
});
