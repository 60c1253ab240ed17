import { assertEquals } from "../../assert.ts";
import { heard, verdictOf } from "./talking.ts";

function packet(sequence: number, body: string): string {
  return String.fromCharCode(body.length, 0, 0, sequence) + body;
}

const GREETING = packet(0, `\x0a10.11.6-MariaDB\0${"x".repeat(40)}mysql_native_password\0`);
const DENIED = packet(2, "\xff\x15\x04#28000Access denied for user 'tandem'@'lb1'");
const OK = packet(2, "\0\0\0\x02\0\0\0");

/** The login, from its capabilities on. */
function login(user: string, capabilities: string, database = ""): string {
  return packet(
    1,
    `${capabilities}\0\0\x01\0!${"\0".repeat(23)}${user}\0\0${database}mysql_native_password\0`,
  );
}

Deno.test("mysql logs in without a password and says goodbye", () => {
  assertEquals(heard({ type: "mysql", user: "check" }, [GREETING, OK]), {
    said: ["", login("check", "\x01\x82\x08\0"), packet(0, "\x01")],
    verdict: { ok: true, reason: "MySQL let it in, version 10.11.6-MariaDB" },
  });
  assertEquals(
    heard({ type: "mysql", user: "u", database: "d" }, [GREETING]).said[1],
    login("u", "\x09\x82\x08\0", "d\0"),
  );
});

Deno.test("mysql is content when nobody is turned away, unless there is a user", () => {
  const words = "MySQL answered 1045: Access denied for user 'tandem'@'lb1'";
  assertEquals(verdictOf({ type: "mysql" }, [GREETING, DENIED]), `good: ${words}`);
  assertEquals(verdictOf({ type: "mysql", user: "a" }, [GREETING, DENIED]), `bad: ${words}`);
});

Deno.test("mysql has no password for other plugins either", () => {
  const said = (plugin: string) =>
    heard({ type: "mysql" }, [GREETING, packet(2, `\xfe${plugin}\0salt`)]).said[2];
  assertEquals(said("mysql_native_password"), packet(3, ""));
  assertEquals(said("caching_sha2_password"), packet(3, "\0"));
});

Deno.test("mysql says what it was refused with", () => {
  const ask = (...answers: string[]) => verdictOf({ type: "mysql" }, answers, { leaves: true });
  assertEquals(
    ask(packet(0, "\xff\x10\x04Too many connections")),
    "bad: MySQL answered 1040: Too many connections",
  );
  assertEquals(
    ask(packet(0, "\xff\x69\x04Host 'lb1' is blocked")),
    "bad: MySQL answered 1129: Host 'lb1' is blocked",
  );
  assertEquals(
    ask(packet(0, "\xff\x15\x04Access denied")),
    "bad: MySQL answered 1045: Access denied",
    "before its greeting that is no answer to a login",
  );
  assertEquals(ask("HTTP/1.1 400 Bad Request\r\n"), "bad: the server does not speak MySQL");
  assertEquals(ask(packet(0, "\x09old\0")), "bad: the server does not speak MySQL");
  assertEquals(ask(GREETING.slice(0, 30)), "bad: the server broke off its answer");
  assertEquals(ask(GREETING, packet(2, "\x01x")), "bad: the server does not speak MySQL");
});
