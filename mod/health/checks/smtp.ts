/**
 * The smtp check: a greeting, EHLO (or HELO, where that is not known) and QUIT (RFC 5321 section 4.1); with `startTls`
 * STARTTLS and all but the greeting again over TLS (RFC 3207). Pure.
 */
import { isHostName, parseIp } from "../../base/address.ts";
import { line } from "../../config/fields.ts";
import { bad, checkKind, good, leftEarly, LISTEN, quoted, say, type Talk, type Turn } from "../check_kind.ts";
import { Lines } from "../lines.ts";
import { startTls } from "./fields.ts";

const REPLY = /^([2-5][0-9]{2})(?:([- ]).*)?$/;
/** Section 4.2.2: EHLO is not known. */
const UNKNOWN_COMMANDS = ["500", "502"];
/** A line of the reply to EHLO (RFC 3207 section 4). */
const OFFERS_TLS = /^250[- ]STARTTLS *$/i;

const fields = {
  hello: line(1, 255).refine(
    (text) => isHostName(text) || parseIp(text) !== null,
    "must be a host name or an IP address",
  ).prefault("localhost").describe("Name that the probe greets with."),
  startTls,
};

type Stage = "plain" | "wantsTls" | "overTls";

export const smtp = checkKind({
  is: "a greeting, `EHLO` and `QUIT`",
  fields,
  expect: {},
  startsTls: ({ startTls }) => startTls,
  // RFC 5321 section 4.1.3: an address stands in brackets.
  talk: ({ hello, startTls }) =>
    new SmtpTalk(
      parseIp(hello) === null ? hello : `[${hello.includes(":") ? "IPv6:" : ""}${hello}]`,
      startTls ? "wantsTls" : "plain",
    ),
});

class SmtpTalk implements Talk {
  readonly #lines = new Lines();
  readonly #hello: string;
  readonly #stage: Stage;
  #said: "nothing" | "EHLO" | "HELO" | "STARTTLS" | "QUIT" = "nothing";
  #begun = false;
  /** Of the reply that is being read. */
  #first = "";
  #offersTls = false;

  constructor(hello: string, stage: Stage) {
    this.#hello = hello;
    this.#stage = stage;
  }

  begin(): Turn {
    return this.#stage === "overTls" ? this.#say("EHLO", ` ${this.#hello}`) : LISTEN;
  }

  receive(bytes: Uint8Array): Turn {
    this.#begun = true;
    this.#lines.push(bytes);
    for (let line = this.#lines.next(); line !== null; line = this.#lines.next()) {
      const match = REPLY.exec(line);
      if (match === null) return bad("the server does not speak SMTP");
      if (this.#first === "") this.#first = line;
      this.#offersTls ||= this.#said === "EHLO" && OFFERS_TLS.test(line);
      // More lines of the same reply follow.
      if (match[2] === "-") continue;
      const turn = this.#takeReply(match[1]!, this.#first);
      this.#first = "";
      if (turn !== LISTEN) return turn;
    }
    return LISTEN;
  }

  /** It has said all that counts when it leaves at QUIT. */
  end() {
    return this.#said === "QUIT" ? this.#good().verdict : leftEarly(this.#begun);
  }

  #takeReply(code: string, line: string): Turn {
    if (this.#said === "QUIT") return this.#good();
    if (this.#said === "EHLO" && UNKNOWN_COMMANDS.includes(code)) return this.#say("HELO", ` ${this.#hello}`);
    const to = this.#said === "nothing" ? "SMTP greeted with" : `SMTP answered ${this.#said} with`;
    if (!code.startsWith("2")) return bad(`${to} ${quoted(line)}`);
    if (this.#said === "nothing") return this.#say("EHLO", ` ${this.#hello}`);
    if (this.#said === "STARTTLS") return this.#goOverTls();
    if (this.#stage !== "wantsTls") return this.#say("QUIT");
    return this.#offersTls ? this.#say("STARTTLS") : bad("SMTP offers no STARTTLS");
  }

  #goOverTls(): Turn {
    // Somebody on the way may have put it there (CVE-2011-0411).
    if (!this.#lines.empty) return bad("something came between the server's yes and TLS");
    return { overTls: new SmtpTalk(this.#hello, "overTls") };
  }

  #say(command: "EHLO" | "HELO" | "STARTTLS" | "QUIT", more = ""): Turn {
    this.#said = command;
    return say(`${command}${more}\r\n`);
  }

  #good() {
    return good(`SMTP greeted and took leave${this.#stage === "overTls" ? ", over TLS" : ""}`);
  }
}
