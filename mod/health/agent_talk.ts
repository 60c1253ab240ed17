/** The talk with the agent of a server: perhaps a text for it, then one line of it, which is the reason. Pure. */
import { bad, type CheckKind, checkKind, good, leftEarly, LISTEN, printable, say } from "./check_kind.ts";
import type { Talk, Turn } from "./check_kind.ts";
import { latin1 } from "../http/grammar.ts";

/** A line has a few words, and why. */
export const MAX_AGENT_LINE = 512;

/** Not for checks: `settings` has `send`, a text. */
export const AGENT: CheckKind = checkKind({
  is: "an agent",
  fields: {},
  expect: {},
  talk: (settings) => new AgentTalk((settings as unknown as { send: string }).send),
});

class AgentTalk implements Talk {
  readonly #send: string;
  #text = "";

  constructor(send: string) {
    this.#send = send;
  }

  begin(): Turn {
    return this.#send === "" ? LISTEN : say(this.#send);
  }

  receive(bytes: Uint8Array): Turn {
    this.#text += latin1(bytes, 0, bytes.length);
    const [line = "", ...more] = this.#text.split(/[\r\n]/);
    if (line.length > MAX_AGENT_LINE) return bad(`the agent's line is longer than ${MAX_AGENT_LINE} bytes`);
    return more.length === 0 ? LISTEN : good(printable(line));
  }

  end() {
    return this.#text === "" ? leftEarly(false) : good(printable(this.#text)).verdict;
  }
}
