/**
 * Sends the answer of a `files` route: what is planned (`files/plan.ts`) into the client's stream, piece by piece,
 * the next one when the stream has room.
 *
 * A machine like every session part: it never waits. After each read the file is looked at once more, and only bytes
 * of the file that was promised are handed on: one that changes breaks the answer off. A small file leaves with its
 * head in one write, out of memory. A large one is sent by the kernel where the stream can have it so, but for its
 * end, which is read: no answer is complete before the file has been looked at for the last time. Elsewhere a popular
 * one leaves out of the store's memory, without a copy.
 */
import type { ErrorCode } from "../base/errors.ts";
import type { FilesAction } from "../config/snapshot.ts";
import type { OpenFile } from "../files/file_system.ts";
import type { Part } from "../files/head.ts";
import { type ChosenFile, type Plan, planAnswer, type PlanOptions } from "../files/plan.ts";
import { type FileStore, sameStatus } from "../files/store.ts";
import type { Amend, Answer } from "../http/answer.ts";
import { latin1 } from "../http/grammar.ts";
import { HUGE_BYTES, LARGE_BYTES, type Lease } from "../net/buffers.ts";
import { FILE_REFUSED, PEER_GONE, type Stream } from "../net/stream.ts";
import type { RequestFacts } from "../route/match.ts";
import type { ProxyEnvironment } from "./environment.ts";
import type { Record } from "./record.ts";

/** Handed to the stream to its last byte, and the stream has not too much of it. */
export const SENT_ALL = 0;
/** The stream has enough for now: call `onDrain`. */
export const WAITS = 1;
/** It cannot be sent to its end: `problem` says why. */
export const BROKEN_OFF = 2;
export type Sent = 0 | 1 | 2;

/** What came of a plan that is not a file. */
export type Instead = { readonly code: ErrorCode } | { readonly answer: Answer };

/** What is in memory leaves in pieces of this size: each costs a call of the system and a wake-up. */
const SLICE_BYTES = 1024 * 1024;
/** Up to here bytes are copied behind the text before them, rather than written by themselves. */
const COPIED_BYTES = 64 * 1024;
/** How often a file that the kernel sends is looked at meanwhile; a look costs as much as sending 100 KB. */
const LOOK_MS = 1000;
/** So much of a part that the kernel sends is left to be read. */
const READ_BYTES = LARGE_BYTES;
/** A stream that takes more than this at once has nobody at its other end any more. */
const MOST_AT_ONCE = 4 * SLICE_BYTES;
/** Random text of a request id, so that no file can hold it but by design. */
const BOUNDARY_BYTES = 64;

/** Looks at a file that is another whenever it is opened. */
const ATTEMPTS = 3;

const encoder = new TextEncoder();

/** How the client is answered. */
export type FileConnection = Required<Pick<PlanOptions, "keepAlive" | "minor" | "hsts" | "compression">>;

export class FileAnswer {
  /** After BROKEN_OFF. */
  problem: ErrorCode = "fileChanged";
  readonly #environment: ProxyEnvironment;
  readonly #client: Stream;
  readonly #record: Record;
  #file: OpenFile | null = null;
  #chosen: ChosenFile | null = null;
  /** Keeps contents that are too large to be copied from being counted out while they are sent. */
  #held: Lease | null = null;
  #parts: readonly Part[] = [];
  #part = 0;
  /** Where in the present part. */
  #at = 0;
  /** The kernel may send it. */
  #direct = false;
  /** When to look at such a file again. */
  #lookAt = 0;
  #flowing = true;
  /** Bytes that the stream held when it was looked at. */
  #queued = 0;

  constructor(environment: ProxyEnvironment, client: Stream, record: Record) {
    this.#environment = environment;
    this.#client = client;
    this.#record = record;
  }

  /** Decides and begins; anything but a file is the caller's to answer. `amend`: what rules make of a head. */
  start(
    action: FilesAction,
    facts: RequestFacts,
    connection: FileConnection,
    amend: Amend | null,
  ): Sent | Instead {
    const store = this.#environment.files;
    for (let attempt = 1;; attempt++) {
      const plan = this.#plan(action, facts, connection);
      if (plan.kind !== "file") return instead(plan);
      const problem = this.#open(store, plan);
      if (problem === null) return this.#begin(plan, amend);
      // Mostly a new version was put into its place since it was looked at: this one is looked at now.
      store.forget(action.root, plan.file.path);
      if (attempt === ATTEMPTS) return { code: problem };
    }
  }

  /** The client's stream has room again. */
  onDrain(): Sent {
    return this.#send("");
  }

  /** True when the client has taken something since this was asked last, or since the last piece. */
  progressed(): boolean {
    const { queued } = this.#client;
    const before = this.#queued;
    this.#queued = queued;
    return queued < before;
  }

  /** Lets go of the file; harmless when it has been done. */
  close(): void {
    this.#file?.close();
    this.#file = null;
    this.#held?.release();
    this.#held = null;
    this.#chosen = null;
    this.#parts = [];
  }

  #plan(
    action: FilesAction,
    facts: RequestFacts,
    connection: FileConnection,
  ): Plan {
    const environment = this.#environment;
    return planAnswer(action, facts, {
      ...connection,
      date: environment.httpDate(),
      store: environment.files,
      now: environment.now(),
      wall: environment.wallClock(),
      boundary: () => this.#boundary(),
      keepsPopular: this.#client.sendFile === undefined,
    });
  }

  #begin(plan: Extract<Plan, { kind: "file" }>, amend: Amend | null): Sent {
    this.#record.status = plan.status;
    this.#chosen = plan.file;
    const { contents } = plan.file;
    if (contents !== null && contents.bytes.length > COPIED_BYTES) this.#held = contents.lease();
    this.#direct = contents === null && this.#client.sendFile !== undefined;
    this.#lookAt = this.#environment.now() + LOOK_MS;
    this.#parts = plan.parts;
    this.#part = 0;
    this.#at = startOf(plan.parts[0]);
    return this.#send(amend === null ? plan.head : amend(plan.head));
  }

  #open(store: FileStore, { file, parts }: Extract<Plan, { kind: "file" }>): ErrorCode | null {
    if (file.contents !== null || parts.length === 0) return null;
    const opened = store.open(file.entry);
    if (typeof opened !== "string") {
      this.#file = opened;
      return null;
    }
    return OPEN_PROBLEMS[opened];
  }

  /** Sends text, then parts of the file, until the stream has enough. */
  #send(head: string): Sent {
    let text = head;
    let sent = 0;
    for (;;) {
      const part = this.#parts[this.#part];
      if (part !== undefined && "text" in part) {
        text += part.text;
        this.#next();
        continue;
      }
      if (part === undefined) {
        if (text !== "") this.#write(encoder.encode(text));
        this.close();
        return SENT_ALL;
      }
      const direct = this.#direct && part.end - this.#at > READ_BYTES;
      const size = direct
        ? this.#sendFile(text, part.end - READ_BYTES)
        : this.#sendBytes(text, this.#sizeOf(part.end - this.#at, text.length));
      if (size < 0) return BROKEN_OFF;
      text = "";
      this.#at += size;
      if (this.#at === part.end) this.#next();
      if (!this.#flowing) {
        this.#queued = this.#client.queued;
        return WAITS;
      }
      if (!direct && (sent += size) > MOST_AT_ONCE) {
        this.problem = "clientGone";
        return BROKEN_OFF;
      }
    }
  }

  /** How many of `rest` bytes leave now, with text of `textLength` before them. */
  #sizeOf(rest: number, textLength: number): number {
    return this.#chosen!.contents === null
      ? Math.min(rest, HUGE_BYTES - textLength)
      : Math.min(rest, SLICE_BYTES);
  }

  /** Lets the kernel send the part up to `end`; how many bytes it has, or -1: there is no use in going on. */
  #sendFile(text: string, end: number): number {
    if (text !== "") this.#write(encoder.encode(text));
    const sent = this.#client.sendFile!(this.#file!.fd, this.#at, end);
    if (sent === FILE_REFUSED) {
      this.#direct = false;
      this.#flowing = true;
      return 0;
    }
    if (sent < 0) {
      this.problem = sent === PEER_GONE ? "clientGone" : "fileChanged";
      return -1;
    }
    this.#record.bytesOut += sent;
    this.#flowing = this.#at + sent === end;
    const now = this.#environment.now();
    if (now < this.#lookAt) return sent;
    this.#lookAt = now + LOOK_MS;
    return this.#unchanged() ? sent : -1;
  }

  /** Text and bytes of the file, in one write where that is cheaper; -1: the file is not what was promised. */
  #sendBytes(text: string, size: number): number {
    const { contents } = this.#chosen!;
    if (this.#held !== null && size > COPIED_BYTES) {
      if (text !== "") this.#write(encoder.encode(text));
      this.#record.bytesOut += size;
      this.#flowing = this.#client.writeLease(this.#held.share(), this.#at, this.#at + size);
      return size;
    }
    const lease = this.#environment.buffers.atLeast(text.length + size);
    const { written } = encoder.encodeInto(text, lease.bytes);
    if (contents !== null) lease.bytes.set(contents.bytes.subarray(this.#at, this.#at + size), written);
    else if (!this.#read(lease.bytes.subarray(written, written + size))) {
      lease.release();
      return -1;
    }
    this.#record.bytesOut += written + size;
    this.#flowing = this.#client.writeLease(lease, 0, written + size);
    return size;
  }

  /** Fills `into` from the file; true when the file is still the one that was promised. */
  #read(into: Uint8Array): boolean {
    const file = this.#file!;
    for (let done = 0; done < into.length;) {
      const read = file.read(done === 0 ? into : into.subarray(done), this.#at + done);
      if (typeof read === "string" || read === 0) {
        this.problem = read === 0 ? "fileChanged" : "fileFailed";
        return false;
      }
      done += read;
    }
    return this.#unchanged();
  }

  #unchanged(): boolean {
    if (sameStatus(this.#file!.status(), this.#chosen!.entry.status)) return true;
    this.problem = "fileChanged";
    return false;
  }

  #next(): void {
    this.#part++;
    this.#at = startOf(this.#parts[this.#part]);
  }

  #write(bytes: Uint8Array): void {
    this.#record.bytesOut += bytes.length;
    this.#client.write(bytes);
  }

  #boundary(): string {
    const bytes = new Uint8Array(BOUNDARY_BYTES);
    return `tandem-${latin1(bytes, 0, this.#environment.writeRequestId(bytes, 0))}`;
  }
}

const OPEN_PROBLEMS = {
  changing: "fileChanged",
  missing: "fileNotFound",
  denied: "fileForbidden",
  failed: "fileFailed",
} as const;

function startOf(part: Part | undefined): number {
  return part === undefined || "text" in part ? 0 : part.start;
}

/** The answer that needs no file. */
function instead(plan: Exclude<Plan, { kind: "file" }>): Instead {
  if (plan.kind === "error") return { code: plan.code };
  if (plan.kind === "redirect") {
    return {
      answer: { status: 301, body: "", contentType: "text/plain; charset=utf-8", location: plan.location },
    };
  }
  return { answer: { status: 200, body: plan.html, contentType: "text/html; charset=utf-8" } };
}
