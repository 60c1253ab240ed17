/**
 * Whoever owns the sessions of a connection that holds a place among those of its address: the place is given back when
 * the last of them is gone, whichever stages the connection went through.
 */
import type { Place } from "../guard/concurrency.ts";
import type { ClientConnection } from "./client_connection.ts";
import type { SessionOwner } from "./session.ts";
import type { Session } from "./stage.ts";

export class PlaceHolder implements SessionOwner {
  readonly #owner: SessionOwner;
  readonly #place: Place;
  /** Null: the first. */
  #session: Session | null = null;
  #released = false;

  /** `openHttp2` goes on with a connection that speaks HTTP/2 without TLS, whose sessions are ours too. */
  constructor(
    owner: SessionOwner,
    place: Place,
    readonly openHttp2: (owner: SessionOwner, connection: ClientConnection, opening: Uint8Array) => void,
  ) {
    this.#owner = owner;
    this.#place = place;
  }

  get environment() {
    return this.#owner.environment;
  }

  get recorder() {
    return this.#owner.recorder;
  }

  get encoder() {
    return this.#owner.encoder;
  }

  onReplaced(stage: Session, next: Session): void {
    this.#session = next;
    this.#owner.onReplaced(stage, next);
  }

  onGone(session: Session): void {
    if (!this.#released && (this.#session === null || session === this.#session)) {
      this.#released = true;
      this.#place.release();
    }
    this.#owner.onGone(session);
  }

  onHttp2(connection: ClientConnection, opening: Uint8Array): void {
    this.openHttp2(this, connection, opening);
  }

  onRefused(listener: string, client: string, reason: string): void {
    this.#owner.onRefused(listener, client, reason);
  }

  onBug(error: unknown): void {
    this.#owner.onBug(error);
  }
}
