/** A client of HTTP/2 in the simulation: it opens streams, gives windows back as it reads, and notes what comes. */
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
  GET,
  GOAWAY,
  HEADERS,
  number,
  PREFACE,
  RST,
  SETTINGS,
  WINDOW,
} from "../conformance/http2_client.ts";
import type { Peer } from "./stream.ts";

/** What the other side may send before it is asked for more. */
const WINDOW_BYTES = 65_535;

export class SimHttp2Client {
  readonly log = new FrameLog();
  ended = false;
  /** Gives room for what was read. */
  reads = true;
  /** Told of every frame. */
  onFrame: (frame: Frame) => void = () => {};
  #next = 1;
  readonly #rooms = new Map<number, number>();
  /** Of the connection. */
  #room = WINDOW_BYTES;
  readonly #waiting = new Map<number, string>();

  constructor(readonly peer: Peer, window = WINDOW_BYTES) {
    peer.handler = {
      onData: (view) => {
        for (const one of this.log.feed(latin1(view, 0, view.length))) this.#take(one);
      },
      onEnd: () => {
        this.ended = true;
      },
    };
    peer.send(PREFACE + frame(SETTINGS, 0, 0, number(4, 2) + number(window, 4)));
  }

  /** Opens a stream with a request; `body`: null for none. Returns its id. */
  request(path: string, body: string | null = null, ...more: (readonly [string, string])[]): number {
    const method = body === null ? "GET" : "POST";
    const fields = GET.map(([name, value]) =>
      [name, name === ":method" ? method : name === ":path" ? path : value] as const
    );
    const id = this.open(block(...fields, ...more), body === null);
    if (body !== null) this.data(id, body);
    return id;
  }

  /** Opens a stream with a header block. */
  open(fields: string, last: boolean): number {
    const id = this.#next;
    this.#next += 2;
    this.peer.send(frame(HEADERS, END_HEADERS | (last ? END_STREAM : 0), id, fields));
    return id;
  }

  /** Sends a whole body, as there is room. */
  data(id: number, body: string): void {
    this.#waiting.set(id, body);
    this.#rooms.set(id, 65_536);
    this.#sendData(id);
  }

  reset(id: number): void {
    this.#waiting.delete(id);
    this.peer.send(frame(RST, 0, id, number(8, 4)));
  }

  get goneAway(): boolean {
    return this.log.frames.some((one) => one.type === GOAWAY);
  }

  wasReset(id: number): boolean {
    return this.log.frames.some((one) => one.type === RST && one.stream === id);
  }

  #take(one: Frame): void {
    if (one.type === DATA && one.payload.length > 0 && this.reads) {
      const increment = number(one.payload.length, 4);
      this.peer.send(frame(WINDOW, 0, 0, increment) + frame(WINDOW, 0, one.stream, increment));
    } else if (one.type === SETTINGS && (one.flags & ACK) === 0) this.peer.send(frame(SETTINGS, ACK, 0));
    else if (one.type === RST) this.#waiting.delete(one.stream);
    else if (one.type === WINDOW) {
      const increment = [0, 1, 2, 3].reduce((sum, i) => sum * 256 + one.payload.charCodeAt(i), 0);
      if (one.stream === 0) this.#room += increment;
      else this.#rooms.set(one.stream, (this.#rooms.get(one.stream) ?? 0) + increment);
      for (const id of [...this.#waiting.keys()]) this.#sendData(id);
    }
    this.onFrame(one);
  }

  #sendData(id: number): void {
    let body = this.#waiting.get(id);
    if (body === undefined) return;
    let room = this.#rooms.get(id)!;
    for (;;) {
      const size = Math.min(body.length, room, this.#room, 16_384);
      const last = size === body.length;
      if (size === 0 && !last) break;
      this.peer.send(frame(DATA, last ? END_STREAM : 0, id, body.slice(0, size)));
      room -= size;
      this.#room -= size;
      body = body.slice(size);
      if (last) {
        this.#waiting.delete(id);
        return;
      }
    }
    this.#rooms.set(id, room);
    this.#waiting.set(id, body);
  }
}
