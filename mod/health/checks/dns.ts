/**
 * The dns check: one question, over UDP, or over TCP where traffic has TLS or a PROXY header or it is wished (RFC 1035).
 *
 * What answers another question is passed over, as anybody may send a datagram. Pure.
 */
import { z } from "zod";
import { formatIp, isHostName, parseIp } from "../../base/address.ts";
import { choice, line, oneOrMore } from "../../config/fields.ts";
import {
  decodeAnswer,
  encodeQuery,
  type Question,
  resultCode,
  resultWords,
} from "../../discovery/dns_message.ts";
import { bad, checkKind, good, leftEarly, LISTEN, type Talk, type Turn } from "../check_kind.ts";
import { Packets, viewOf } from "../packets.ts";

const RCODES = ["noError", "formErr", "servFail", "nxDomain", "notImp", "refused"] as const;
const LENGTH_BYTES = 2;

const fields = {
  name: line(1, 253).refine(
    (text) => text === "." || isHostName(text.replace(/\.$/, "")),
    'must be a name, or "."',
  )
    .transform((text) => text === "." ? text : text.replace(/\.$/, "").toLowerCase()).optional().describe(
      "Name to ask for.",
    ),
  record: choice("A", "AAAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT").prefault("A").describe(
    "Record to ask for.",
  ),
  transport: choice("udp", "tcp").optional().describe(
    "Without: `udp`, or `tcp` where there is TLS or a PROXY header.",
  ),
};

const expect = {
  rcode: choice(...RCODES).prefault("noError").describe("Result of a good answer."),
  answer: oneOrMore(
    z.string().transform((text, context) => {
      const ip = parseIp(text);
      if (ip !== null) return formatIp(ip);
      context.addIssue({ code: "custom", message: "must be an IP address" });
      return z.NEVER;
    }),
  ).optional().describe("An address that a good answer has, or a list of them, all of which it has."),
};

interface Terms {
  readonly rcode: (typeof RCODES)[number];
  readonly answer: readonly string[] | undefined;
}

export const dns = checkKind({
  is: "a question",
  fields,
  expect,
  required: ["name"],
  rules({ record, expect: { rcode, answer } }, complain) {
    if (answer === undefined) return;
    if (record !== "A" && record !== "AAAA") {
      complain(`has no sense with record ${record}`, "expect", "answer");
    }
    if (rcode !== "noError") complain(`has no sense with rcode ${rcode}`, "expect", "answer");
  },
  plain: ({ transport }) => transport === "udp",
  datagrams: ({ transport }, plain) => transport === "udp" || (transport === undefined && plain),
  talk({ name, record, expect }, { datagrams, random }) {
    const question = { id: Math.floor(random * 0x10000), name: name!, type: record };
    const query = encodeQuery(question);
    if (query === null) return `${name} cannot be asked for`;
    return datagrams ? new DnsTalk(question, query, expect) : new DnsOverTcp(question, query, expect);
  },
});

/** Each message by itself. */
class DnsTalk implements Talk {
  readonly #question: Question;
  readonly #query: Uint8Array;
  readonly #terms: Terms;

  constructor(question: Question, query: Uint8Array, terms: Terms) {
    this.#question = question;
    this.#query = query;
    this.#terms = terms;
  }

  begin(): Turn {
    return { send: this.#query };
  }

  receive(message: Uint8Array): Turn {
    const code = resultCode(message, this.#question);
    if (code === null) return LISTEN;
    const words = `the answer is "${resultWords(code)}"`;
    if (code !== RCODES.indexOf(this.#terms.rcode)) return bad(words);
    return code === 0 ? this.#takeRecords(message) : good(words);
  }

  end() {
    return leftEarly(false);
  }

  #takeRecords(message: Uint8Array): Turn {
    const { answer: wanted = [] } = this.#terms;
    const decoded = decodeAnswer(message, this.#question);
    if (decoded.kind === "truncated" && wanted.length === 0) return good("the answer is truncated");
    if (decoded.kind === "truncated") return bad("the answer is truncated; transport: tcp has it whole");
    if (decoded.kind !== "found") return bad(decoded.kind === "other" ? "malformed answer" : decoded.reason);
    const { addresses, services, others = 0 } = decoded;
    const missing = wanted.find((address) => !addresses.includes(address));
    if (missing !== undefined) {
      return bad(`the answer is ${addresses.slice(0, 4).join(", ")}, without ${missing}`);
    }
    const count = addresses.length + services.length + others;
    return good(`${count} ${count === 1 ? "record" : "records"}`);
  }
}

/** Each message with its length before it (section 4.2.2). */
class DnsOverTcp implements Talk {
  readonly #talk: DnsTalk;
  readonly #packets = new Packets(LENGTH_BYTES, (head) => LENGTH_BYTES + head.getUint16(0));
  #begun = false;

  constructor(question: Question, query: Uint8Array, terms: Terms) {
    this.#talk = new DnsTalk(question, query, terms);
  }

  begin(): Turn {
    const query = this.#talk.begin().send!;
    const send = new Uint8Array(LENGTH_BYTES + query.length);
    viewOf(send).setUint16(0, query.length);
    send.set(query, LENGTH_BYTES);
    return { send };
  }

  receive(bytes: Uint8Array): Turn {
    this.#begun = true;
    this.#packets.push(bytes);
    for (let packet = this.#packets.next(); packet !== null; packet = this.#packets.next()) {
      const turn = this.#talk.receive(packet.subarray(LENGTH_BYTES));
      if (turn !== LISTEN) return turn;
    }
    return LISTEN;
  }

  end() {
    return leftEarly(this.#begun);
  }
}
