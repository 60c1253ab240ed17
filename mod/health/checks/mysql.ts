/**
 * The mysql check: the server's greeting, a login without a password, and a goodbye (MySQL, MariaDB; protocol 10).
 *
 * The login is there for the server's sake: it counts those who leave at its greeting as broken connections and after
 * a hundred of them blocks the host (`max_connect_errors`). Without `user` it is enough that it turns the login down;
 * with one, it must let it in. Pure.
 */
import { latin1 } from "../../http/grammar.ts";
import { bad, checkKind, good, leftEarly, LISTEN, quoted, type Talk, type Turn } from "../check_kind.ts";
import { Packets } from "../packets.ts";
import { database, user } from "./fields.ts";

const HEAD_BYTES = 4;
const MAX_PACKET = 4096;
const PROTOCOL = 10;
const NOBODY = "tandem";
const COM_QUIT = 1;
/** First bytes of packets. */
const OK = 0x00, SWITCH = 0xfe, ERROR = 0xff;
/** Capabilities: LONG_PASSWORD, PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH; and CONNECT_WITH_DB. */
const CAPABILITIES = 0x1 | 0x200 | 0x8000 | 0x80000;
const WITH_DATABASE = 0x8;
const UTF8 = 33;
const PLUGIN = "mysql_native_password";
/** Plugins for which no password is a zero byte and not nothing. */
const ENDED_PASSWORD = ["caching_sha2_password", "sha256_password", "mysql_clear_password"];
/** Access denied, to the server, to a database or without a password; no such plugin, locked, and TLS only. */
const ABOUT_ACCESS = [1044, 1045, 1049, 1251, 1698, 3118, 3159, 4151];

const fields = { user, database };

export const mysql = checkKind({
  is: "a login",
  fields,
  expect: {},
  talk: ({ user, database }) => new MysqlTalk(user, database),
});

class MysqlTalk implements Talk {
  readonly #packets = new Packets(
    HEAD_BYTES,
    (head) => HEAD_BYTES + (head.getUint16(0, true) | head.getUint8(2) << 16),
  );
  readonly #user: string | undefined;
  readonly #database: string | undefined;
  #version = "";
  #begun = false;

  constructor(user: string | undefined, database: string | undefined) {
    this.#user = user;
    this.#database = database;
  }

  begin(): Turn {
    return LISTEN;
  }

  receive(bytes: Uint8Array): Turn {
    this.#begun = true;
    this.#packets.push(bytes);
    const packet = this.#packets.next();
    if (packet === null) return this.#packets.oversized(MAX_PACKET) ? this.#foreign() : LISTEN;
    return this.#take(packet[3]!, packet.subarray(HEAD_BYTES));
  }

  end() {
    return leftEarly(this.#begun);
  }

  #take(sequence: number, body: Uint8Array): Turn {
    if (body[0] === ERROR && body.length >= 3) return this.#takeError(body);
    if (this.#version === "") return this.#takeGreeting(sequence, body);
    if (body[0] === OK) {
      return { ...good(`MySQL let it in, version ${this.#version}`), send: packed(0, COM_QUIT) };
    }
    if (body[0] !== SWITCH) return this.#foreign();
    const plugin = textAt(body, 1);
    return { send: packed(sequence + 1, ...(ENDED_PASSWORD.includes(plugin) ? [0] : [])) };
  }

  #takeGreeting(sequence: number, body: Uint8Array): Turn {
    // MariaDB puts a number before its own, for old replicas.
    this.#version = quoted(textAt(body, 1)).replace(/^5\.5\.5-/, "");
    if (body[0] !== PROTOCOL || this.#version === "") return this.#foreign();
    const database = this.#database;
    const capabilities = CAPABILITIES | (database === undefined ? 0 : WITH_DATABASE);
    return {
      send: packed(
        sequence + 1,
        ...[0, 8, 16, 24].map((shift) => capabilities >>> shift & 0xff),
        ...[0, 0, 1, 0],
        UTF8,
        ...new Array<number>(23).fill(0),
        ...ended(this.#user ?? NOBODY),
        0,
        ...(database === undefined ? [] : ended(database)),
        ...ended(PLUGIN),
      ),
    };
  }

  /** A code and, behind a mark and five bytes of SQLSTATE, a message. */
  #takeError(body: Uint8Array): Turn {
    const code = body[1]! | body[2]! << 8;
    const text = latin1(body, 3, body.length).replace(/^#.{5}/s, "");
    const words = `MySQL answered ${code}: ${quoted(text)}`;
    return this.#user === undefined && ABOUT_ACCESS.includes(code) && this.#version !== ""
      ? good(words)
      : bad(words);
  }

  #foreign(): Turn {
    return bad("the server does not speak MySQL");
  }
}

function textAt(bytes: Uint8Array, at: number): string {
  const end = bytes.indexOf(0, at);
  return end < 0 ? "" : latin1(bytes, at, end);
}

function ended(text: string): number[] {
  return [...new TextEncoder().encode(text), 0];
}

/** A packet with its head. */
function packed(sequence: number, ...body: number[]): Uint8Array {
  return Uint8Array.of(body.length & 0xff, body.length >>> 8, 0, sequence & 0xff, ...body);
}
