/** The http check of pools that are spoken to in HTTP/2: the same question and the same judgement. Pure. */
import { fromLatin1, utf8AsLatin1 } from "../../http/grammar.ts";
import { bad, leftEarly, LISTEN, type Talk, type TalkTarget, type Turn } from "../check_kind.ts";
import { Http2Exchange } from "../http2_exchange.ts";
import type { HttpSettings } from "./http.ts";
import { authorityOf, requestHeaders } from "./http1_talk.ts";
import { HttpJudge } from "./http_judge.ts";

export class HttpOver2 implements Talk {
  readonly #exchange: Http2Exchange;
  readonly #judge: HttpJudge;
  #begun = false;
  #headJudged = false;

  constructor(settings: HttpSettings, target: TalkTarget) {
    this.#judge = new HttpJudge(settings.expect);
    this.#exchange = new Http2Exchange({
      method: settings.method,
      path: settings.path,
      authority: authorityOf(settings.host, target),
      secure: target.secure,
      headers: requestHeaders(settings),
      body: fromLatin1(utf8AsLatin1(settings.body)),
    });
  }

  begin(): Turn {
    return { send: this.#exchange.begin() };
  }

  receive(bytes: Uint8Array): Turn {
    this.#begun = true;
    this.#exchange.receive(bytes);
    return this.#exchange.turn(this.#look());
  }

  end() {
    return leftEarly(this.#begun);
  }

  full() {
    return this.#judge.full();
  }

  #look(): Turn {
    const { fault, status, fields, done } = this.#exchange;
    if (fault !== null && status === 0) return bad(fault);
    if (status === 0) return LISTEN;
    if (!this.#headJudged) {
      this.#headJudged = true;
      const turn = this.#judge.onStatus(status);
      if (turn !== LISTEN) return turn;
      const further = this.#judge.onFields(fields);
      if (further !== LISTEN) return further;
    }
    const turn = this.#judge.onBody(this.#exchange.body());
    if (turn !== LISTEN) return turn;
    if (done) return this.#judge.onBodyEnd();
    return fault === null ? LISTEN : bad(fault);
  }
}
