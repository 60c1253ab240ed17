/** The redis check: PING, perhaps after AUTH (Redis, Valkey, KeyDB and what else speaks RESP). Pure. */
import { bad, checkKind, good, leftEarly, LISTEN, quoted, say, type Talk, type Turn } from "../check_kind.ts";
import { Lines } from "../lines.ts";
import { password, user } from "./fields.ts";

const fields = { user, password };

export const redis = checkKind({
  is: "`PING`",
  fields,
  expect: {},
  rules({ user, password }, complain) {
    if (user !== undefined && password === undefined) complain("needs a password", "user");
  },
  talk: ({ user, password }) =>
    new RedisTalk(password === undefined ? null : [...(user === undefined ? [] : [user]), password]),
});

class RedisTalk implements Talk {
  readonly #lines = new Lines();
  #account: readonly string[] | null;

  constructor(account: readonly string[] | null) {
    this.#account = account;
  }

  begin(): Turn {
    return say(this.#account === null ? command("PING") : command("AUTH", ...this.#account));
  }

  receive(bytes: Uint8Array): Turn {
    this.#lines.push(bytes);
    const line = this.#lines.next();
    if (line === null) return LISTEN;
    const wanted = this.#account === null ? "+PONG" : "+OK";
    if (line !== wanted) {
      return bad(/^[-+]/.test(line) ? `Redis answered ${quoted(line)}` : "the server does not speak Redis");
    }
    if (this.#account === null) return good("Redis answered +PONG");
    this.#account = null;
    return say(command("PING"));
  }

  end() {
    return leftEarly(!this.#lines.empty);
  }
}

/** An array of bulk strings. */
function command(...words: string[]): string {
  return `*${words.length}\r\n${
    words.map((word) => `$${new TextEncoder().encode(word).length}\r\n${word}\r\n`).join("")
  }`;
}
