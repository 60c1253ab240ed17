/** A server of HTTP/2 in the simulation: it reads requests, answers them as told, and keeps to windows. */
import { latin1 } from "../../mod/http/grammar.ts";
import {
  ACK,
  block,
  DATA,
  END_HEADERS,
  END_STREAM,
  type Frame,
  frame,
  FrameLog,
  HEADERS,
  number,
  PREFACE,
  RST,
  SETTINGS,
  WINDOW,
} from "../conformance/http2_client.ts";
import type { ServedConnection, SimServer } from "./parties.ts";

export interface Http2Request {
  readonly id: number;
  readonly fields: readonly string[];
  readonly body: string;
  readonly trailer: readonly string[];
}

export type Http2Answering = (request: Http2Request, connection: Http2Served) => void;

/** Has a server speak HTTP/2; `settings`: what it begins with. */
export function speakHttp2(
  server: SimServer,
  answer: Http2Answering,
  settings: readonly (readonly [number, number])[] = [],
): Http2Served[] {
  const all: Http2Served[] = [];
  const found = new Map<ServedConnection, Http2Served>();
  server.onBytes = (view, connection) => {
    let served = found.get(connection);
    if (served === undefined) {
      served = new Http2Served(connection, answer, settings);
      found.set(connection, served);
      all.push(served);
    }
    served.take(view);
    return true;
  };
  return all;
}

export class Http2Served {
  readonly log = new FrameLog();
  #preface = "";
  readonly #room = new Map<number, number>();
  readonly #waiting = new Map<number, { body: string; trailer: string }>();
  #window = 65_535;
  /** Room of the connection. */
  #whole = 65_535;

  constructor(
    readonly connection: ServedConnection,
    readonly answering: Http2Answering,
    settings: readonly (readonly [number, number])[],
  ) {
    connection.send(
      frame(SETTINGS, 0, 0, settings.map(([id, value]) => number(id, 2) + number(value, 4)).join("")),
    );
  }

  take(view: Uint8Array): void {
    let text = latin1(view, 0, view.length);
    const missing = PREFACE.length - this.#preface.length;
    this.#preface += text.slice(0, missing);
    text = text.slice(missing);
    if (this.#preface.length === PREFACE.length && this.#preface !== PREFACE) {
      throw new Error("There is no preface");
    }
    for (const one of this.log.feed(text)) this.#take(one);
  }

  /** Sends a head and a body, as there is room, and trailers. */
  reply(id: number, body: string, fields: (readonly [string, string])[] = [], trailer = ""): void {
    const last = body === "" && trailer === "";
    const head = block([":status", "200"], ...fields);
    this.send(frame(HEADERS, END_HEADERS | (last ? END_STREAM : 0), id, head));
    if (last) return;
    this.#waiting.set(id, { body, trailer });
    this.#sendBody(id);
  }

  send(frames: string): void {
    this.connection.send(frames);
  }

  #take(one: Frame): void {
    if (one.type === SETTINGS && (one.flags & ACK) === 0) {
      for (let at = 0; at < one.payload.length; at += 6) {
        if (one.payload.charCodeAt(at + 1) === 4) this.#window = value(one.payload, at + 2);
      }
    } else if (one.type === WINDOW) {
      const increment = value(one.payload, 0);
      if (one.stream === 0) this.#whole += increment;
      else this.#room.set(one.stream, (this.#room.get(one.stream) ?? this.#window) + increment);
      for (const id of [...this.#waiting.keys()]) this.#sendBody(id);
    } else if (one.type === RST) this.#waiting.delete(one.stream);
    else if (one.type === DATA && one.payload.length > 0) {
      const increment = number(one.payload.length, 4);
      this.send(frame(WINDOW, 0, 0, increment) + frame(WINDOW, 0, one.stream, increment));
    }
    if ((one.type === DATA || one.type === HEADERS) && (one.flags & END_STREAM) !== 0) {
      this.#answer(one.stream);
    }
  }

  #answer(id: number): void {
    const heads = this.log.frames.filter((one) => one.type === HEADERS && one.stream === id);
    const fields = this.log.fields(heads[0]!);
    const trailer = heads.length > 1 ? this.log.fields(heads[1]!) : [];
    this.answering({ id, fields, body: this.log.body(id), trailer }, this);
  }

  #sendBody(id: number): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    let room = this.#room.get(id) ?? this.#window;
    while (waiting.body.length > 0 && room > 0 && this.#whole > 0) {
      const size = Math.min(waiting.body.length, room, this.#whole, 16_384);
      const last = size === waiting.body.length && waiting.trailer === "";
      this.send(frame(DATA, last ? END_STREAM : 0, id, waiting.body.slice(0, size)));
      waiting.body = waiting.body.slice(size);
      room -= size;
      this.#whole -= size;
    }
    this.#room.set(id, room);
    if (waiting.body.length > 0) return;
    this.#waiting.delete(id);
    if (waiting.trailer !== "") this.send(frame(HEADERS, END_HEADERS | END_STREAM, id, waiting.trailer));
  }
}

function value(payload: string, at: number): number {
  return [0, 1, 2, 3].reduce((sum, i) => sum * 256 + payload.charCodeAt(at + i), 0);
}
