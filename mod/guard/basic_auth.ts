/**
 * Names and passwords (RFC 7617). A password that was found good is remembered with its name, as finding out is made to
 * take long; whoever is not known by that waits for the thread that finds out. Pure.
 */
import type { BasicAuthSnapshot } from "../config/guard_snapshot.ts";
import type { Denial, Guard, GuardRequest, Verdict } from "./guard.ts";
import { type Identity, type Passwords, Remembered } from "./identity.ts";

const BUSY: Denial = { kind: "deny", code: "credentialsBusy" };

export class BasicAuth implements Guard {
  readonly #users: ReadonlyMap<string, string>;
  /** For names that nobody has, so that they take as long. */
  readonly #nobody: string;
  readonly #challenge: Denial;
  readonly #passwords: Passwords;
  /** By the whole field. */
  readonly #good = new Remembered<Identity>();

  constructor({ realm, users }: BasicAuthSnapshot, passwords: Passwords) {
    this.#users = new Map(users);
    this.#nobody = users[0]![1];
    this.#passwords = passwords;
    this.#challenge = {
      kind: "deny",
      code: "unauthorized",
      fields: `WWW-Authenticate: Basic realm="${realm}", charset="UTF-8"\r\n`,
    };
  }

  check(request: GuardRequest): Verdict {
    const field = request.facts.header("authorization");
    const known = field === null ? undefined : this.#good.get(field);
    if (known !== undefined) return { kind: "identity", identity: known };
    const given = field === null ? null : credentialsOf(field);
    if (given === null) return this.#challenge;
    const [user, password] = given;
    const hash = this.#users.get(user);
    return {
      kind: "ask",
      ask: (answer) =>
        this.#passwords.check(hash ?? this.#nobody, password, (good) => {
          if (good === null) return answer(BUSY);
          if (!good || hash === undefined) return answer(this.#challenge);
          const identity = { user, claim: () => "" };
          this.#good.set(field!, identity);
          answer({ kind: "identity", identity });
        }),
      otherwise: BUSY,
    };
  }
}

/** Name and password; null: the field has none. */
function credentialsOf(field: string): readonly [user: string, password: string] | null {
  const coded = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(field)?.[1];
  if (coded === undefined) return null;
  const text = decoded(coded);
  const colon = text === null ? -1 : text.indexOf(":");
  return colon < 0 ? null : [text!.slice(0, colon), text!.slice(colon + 1)];
}

function decoded(coded: string): string | null {
  try {
    const bytes = Uint8Array.from(atob(coded), (character) => character.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
