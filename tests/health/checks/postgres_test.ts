import { assertEquals } from "../../assert.ts";
import { fromLatin1 } from "../../../mod/http/grammar.ts";
import { heard, OVER_TLS, talkOf, verdictOf } from "./talking.ts";

/** A message of protocol 3.0. */
function message(kind: string, body: string): string {
  const size = 4 + body.length;
  return kind + String.fromCharCode(size >>> 24, size >>> 16 & 0xff, size >>> 8 & 0xff, size & 0xff) + body;
}

const OK = message("R", "\0\0\0\0");
const PASSWORD = message("R", "\0\0\0\x0aSCRAM-SHA-256\0\0");
const READY = message("Z", "I");
const error = (code: string, text: string) => message("E", `SFATAL\0VFATAL\0C${code}\0M${text}\0\0`);
const STARTUP = "\0\x03\0\0user\0tandem\0application_name\0tandem-check\0\0";

Deno.test("postgres begins as a client does, and takes leave of a server that lets it in", () => {
  const greeting = message("S", "server_version\x0015\0") + message("K", "\0\0\0\x01\0\0\0\x02");
  assertEquals(heard({ type: "postgres" }, [OK + greeting + READY]), {
    said: [`\0\0\0${String.fromCharCode(STARTUP.length + 4)}${STARTUP}`, "X\0\0\0\x04"],
    verdict: { ok: true, reason: "PostgreSQL is ready for queries" },
  });
  assertEquals(
    heard({ type: "postgres", user: "u", database: "d" }, []).said[0]!.slice(8),
    "user\0u\0database\0d\0application_name\0tandem-check\0\0",
  );
});

Deno.test("postgres is content when it is asked for a password, and leaves without a word", () => {
  assertEquals(heard({ type: "postgres" }, [PASSWORD]), {
    said: [heard({ type: "postgres" }, []).said[0]!, ""],
    verdict: { ok: true, reason: "PostgreSQL asked for a password" },
  });
});

Deno.test("postgres tells errors of the server from those about the user, unless there is one", () => {
  const ask = (answer: string, more = {}) =>
    verdictOf({ type: "postgres", ...more }, [answer], { leaves: true });
  const starting = error("57P03", "the database system is starting up");
  assertEquals(ask(starting), "bad: PostgreSQL answered 57P03: the database system is starting up");
  const nobody = error("28000", 'role "tandem" does not exist');
  assertEquals(ask(nobody), 'good: PostgreSQL answered 28000: role "tandem" does not exist');
  assertEquals(ask(nobody, { user: "a" }), 'bad: PostgreSQL answered 28000: role "tandem" does not exist');
  assertEquals(
    ask(OK + error("3D000", "no such database")),
    "good: PostgreSQL answered 3D000: no such database",
  );
  assertEquals(ask(error("53300", "too many"), {}), "bad: PostgreSQL answered 53300: too many");
  assertEquals(ask("HTTP/1.1 400 Bad Request\r\n"), "bad: the server does not speak PostgreSQL");
  assertEquals(ask("N\xff\xff\xff\xff"), "bad: the server does not speak PostgreSQL");
  assertEquals(ask("R\0\0\0\0"), "bad: the server broke off its answer");
  assertEquals(ask("R\0\0"), "bad: the server broke off its answer");
});

Deno.test("postgres asks for TLS, and begins over it", () => {
  const plain = heard({ type: "postgres" }, []).said[0]!;
  assertEquals(heard({ type: "postgres", startTls: true }, ["S", PASSWORD]), {
    said: ["\0\0\0\x08\x04\xd2\x16\x2f", `${OVER_TLS}${plain}`, ""],
    verdict: { ok: true, reason: "PostgreSQL asked for a password" },
  });
});

Deno.test("postgres is not content with a server that does not go over to TLS", () => {
  const ask = (answer: string) => verdictOf({ type: "postgres", startTls: true }, [answer]);
  assertEquals(ask("N"), "bad: PostgreSQL speaks no TLS here");
  assertEquals(ask("E"), "bad: PostgreSQL answered an error to the question for TLS");
  assertEquals(ask("H"), "bad: the server does not speak PostgreSQL");
  assertEquals(
    talkOf({ type: "postgres", startTls: true }).receive(fromLatin1(`S${PASSWORD}`)).verdict?.reason,
    "something came between the server's yes and TLS",
  );
});
