/**
 * The postgres check: a start-up message, as a client begins with (protocol 3.0), and what the server says to it.
 *
 * A server that asks for a password is a healthy one, and is left. Without `user` it is enough that it decides who may
 * come in, as pg_isready has it; with one, an error is an error. Pure.
 */
import { latin1 } from "../../http/grammar.ts";
import { bad, checkKind, good, leftEarly, LISTEN, quoted, type Talk, type Turn } from "../check_kind.ts";
import { Packets, viewOf } from "../packets.ts";
import { database, startTls, user } from "./fields.ts";

const PROTOCOL = 196608; // 3.0
/** Eight bytes long, and a number that is no version of the protocol. */
const SSL_REQUEST = Uint8Array.of(0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f);
const WILLING = 0x53, UNWILLING = 0x4e, ERROR = 0x45;
const NOBODY = "tandem";
const HEAD_BYTES = 5;
/** A kind of message that nobody sends so long is another protocol's. */
const MAX_MESSAGE = 16 * 1024;
const TERMINATE = Uint8Array.of(0x58, 0, 0, 0, 4);
/** Classes of SQLSTATE: who one is, and a database that is not there. */
const ABOUT_ACCESS = /^(?:28|3D)/;

const fields = { user, database, startTls };

export const postgres = checkKind({
  is: "a start-up message",
  fields,
  expect: {},
  startsTls: ({ startTls }) => startTls,
  talk: ({ user, database, startTls }) => {
    const talk = new PostgresTalk(user, database);
    return startTls ? new SslRequest(talk) : talk;
  },
});

/** Asks for TLS, which is answered by one byte before it begins. */
class SslRequest implements Talk {
  readonly #overTls: Talk;

  constructor(overTls: Talk) {
    this.#overTls = overTls;
  }

  begin(): Turn {
    return { send: SSL_REQUEST };
  }

  receive(bytes: Uint8Array): Turn {
    if (bytes[0] === UNWILLING) return bad("PostgreSQL speaks no TLS here");
    if (bytes[0] === ERROR) return bad("PostgreSQL answered an error to the question for TLS");
    if (bytes[0] !== WILLING) return bad("the server does not speak PostgreSQL");
    // Somebody on the way may have put it there (CVE-2021-23222).
    return bytes.length > 1
      ? bad("something came between the server's yes and TLS")
      : { overTls: this.#overTls };
  }

  end() {
    return leftEarly(false);
  }
}

class PostgresTalk implements Talk {
  readonly #packets = new Packets(HEAD_BYTES, (head) => 1 + head.getUint32(1));
  readonly #user: string | undefined;
  readonly #database: string | undefined;
  #begun = false;

  constructor(user: string | undefined, database: string | undefined) {
    this.#user = user;
    this.#database = database;
  }

  begin(): Turn {
    const words = [
      "user",
      this.#user ?? NOBODY,
      ...(this.#database === undefined ? [] : ["database", this.#database]),
    ];
    const text = new TextEncoder().encode([...words, "application_name", "tandem-check", "", ""].join("\0"));
    const send = new Uint8Array(8 + text.length);
    viewOf(send).setUint32(0, send.length);
    viewOf(send).setUint32(4, PROTOCOL);
    send.set(text, 8);
    return { send };
  }

  receive(bytes: Uint8Array): Turn {
    this.#begun = true;
    this.#packets.push(bytes);
    for (let packet = this.#packets.next(); packet !== null; packet = this.#packets.next()) {
      const turn = this.#takeMessage(String.fromCharCode(packet[0]!), packet.subarray(HEAD_BYTES));
      if (turn !== LISTEN) return turn;
    }
    return this.#packets.oversized(MAX_MESSAGE) ? bad("the server does not speak PostgreSQL") : LISTEN;
  }

  end() {
    return leftEarly(this.#begun);
  }

  #takeMessage(kind: string, body: Uint8Array): Turn {
    switch (kind) {
      case "R": {
        const asked = body.length >= 4 ? viewOf(body).getUint32(0) : 0;
        // To leave without a word is what a client does whose user has no password at hand; it is not logged.
        return asked === 0 ? LISTEN : good("PostgreSQL asked for a password");
      }
      case "E":
        return this.#takeError(body);
      case "Z":
        return { ...good("PostgreSQL is ready for queries"), send: TERMINATE };
      // ParameterStatus, BackendKeyData, NoticeResponse, NegotiateProtocolVersion.
      case "S":
      case "K":
      case "N":
      case "v":
        return LISTEN;
      default:
        return bad("the server does not speak PostgreSQL");
    }
  }

  #takeError(body: Uint8Array): Turn {
    const parts = latin1(body, 0, body.length).split("\0");
    const part = (kind: string) => parts.find((one) => one.startsWith(kind))?.slice(1) ?? "";
    const words = `PostgreSQL answered ${quoted(`${part("C")}: ${part("M")}`)}`;
    return this.#user === undefined && ABOUT_ACCESS.test(part("C")) ? good(words) : bad(words);
  }
}
