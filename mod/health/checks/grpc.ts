/** The grpc check: grpc.health.v1.Health/Check over HTTP/2, of the whole server or of one service. Pure. */
import { line } from "../../config/fields.ts";
import { fromLatin1 } from "../../http/grammar.ts";
import {
  bad,
  checkKind,
  good,
  leftEarly,
  LISTEN,
  quoted,
  type Talk,
  type TalkTarget,
  type Turn,
} from "../check_kind.ts";
import { Http2Exchange } from "../http2_exchange.ts";
import { host } from "./fields.ts";
import { authorityOf } from "./http1_talk.ts";

const PATH = "/grpc.health.v1.Health/Check";
/** A byte that says "not compressed", and the length of the message. */
const PREFIX_BYTES = 5;
/** `HealthCheckResponse.ServingStatus`. */
const STATES = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];
const SERVING = 1;
/** Codes of `grpc-status` that have a meaning of their own here. */
const NOT_FOUND = "5", UNIMPLEMENTED = "12";

const fields = {
  service: line(0, 127).regex(/^[\x20-\x7e]*$/, "must be ASCII").prefault("").describe(
    "Name of the service to ask about. Empty: the whole server.",
  ),
  host,
};

export const grpc = checkKind({
  is: "`grpc.health.v1`",
  fields,
  expect: {},
  http2: "always",
  talk: (settings, target) => new GrpcTalk(settings, target),
});

class GrpcTalk implements Talk {
  readonly #exchange: Http2Exchange;
  readonly #service: string;
  #begun = false;
  #message = "";

  constructor({ service, host }: { service: string; host: string | undefined }, target: TalkTarget) {
    this.#service = service;
    // Field 1 of HealthCheckRequest; a text of up to 127 bytes has its length in one.
    const message = service === "" ? "" : `\x0a${String.fromCharCode(service.length)}${service}`;
    this.#exchange = new Http2Exchange({
      method: "POST",
      path: PATH,
      authority: authorityOf(host, target),
      secure: target.secure,
      headers: [["content-type", "application/grpc"], ["te", "trailers"], ["user-agent", "tandem-check"]],
      body: fromLatin1(`\0\0\0\0${String.fromCharCode(message.length)}${message}`),
    });
  }

  begin(): Turn {
    return { send: this.#exchange.begin() };
  }

  receive(bytes: Uint8Array): Turn {
    this.#begun = true;
    this.#exchange.receive(bytes);
    this.#message += this.#exchange.body();
    return this.#exchange.turn(this.#judge());
  }

  end() {
    return leftEarly(this.#begun);
  }

  #judge(): Turn {
    const { fault, done, status, fields } = this.#exchange;
    if (fault !== null) return bad(fault);
    if (!done) return LISTEN;
    if (status !== 200) return bad(`the server answered gRPC with HTTP status ${status}`);
    const code = fields.get("grpc-status");
    if (code === NOT_FOUND) return bad(`the server knows no service ${JSON.stringify(this.#service)}`);
    if (code === UNIMPLEMENTED) return bad("the server has no grpc.health.v1");
    if (code !== "0") {
      return bad(`gRPC status ${quoted(code ?? "missing")}: ${quoted(fields.get("grpc-message") ?? "")}`);
    }
    const state = servingStatus(this.#message.slice(PREFIX_BYTES));
    const words = STATES[state] ?? `status ${state}`;
    return state === SERVING ? good(words) : bad(`the service is ${words}`);
  }
}

/** Field 1 of HealthCheckResponse, a number of one byte; absent: 0. */
function servingStatus(message: string): number {
  return message.startsWith("\x08") ? message.charCodeAt(1) : 0;
}
