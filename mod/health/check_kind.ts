/**
 * What makes a kind of check: its settings, and the talk that one probe of it has with a server.
 *
 * A talk is a machine: it is handed what the server says and answers what to say, until it has a verdict. It opens
 * nothing and knows neither TLS, PROXY headers, time limits nor how much a server may say: the edge sees to these for
 * all kinds alike. Pure.
 */
import type { z } from "zod";

/** All that a server may say to one probe. HAProxy's checks read into one buffer of 16 KiB. */
export const MAX_ANSWER_BYTES = 16 * 1024;

export interface Verdict {
  readonly ok: boolean;
  /** For a person, without the name of the server: "status 200". */
  readonly reason: string;
}

/** What follows from what came. With a verdict the talk is over, once `send` has been said. */
export interface Turn {
  readonly send?: Uint8Array;
  readonly verdict?: Verdict;
  /** The server is ready for TLS: instead of this talk, this one begins over it. */
  readonly overTls?: Talk;
}

/** Nothing to say yet. */
export const LISTEN: Turn = {};

export interface Talk {
  /** The connection stands. */
  begin(): Turn;
  /** The server has said something; never called again after a verdict or `overTls`. */
  receive(bytes: Uint8Array): Turn;
  /** The server will say no more. */
  end(): Verdict;
  /** The server has said as much as it may; null, or absent: nothing that decides. */
  full?(): Verdict | null;
}

/** Whom a probe talks to. */
export interface TalkTarget {
  /** IP address. */
  readonly host: string;
  readonly port: number;
  /** The connection is over TLS. */
  readonly secure: boolean;
  /** HTTP/2 is to be spoken. */
  readonly http2: boolean;
  /** Each text that is said and received is a datagram. */
  readonly datagrams: boolean;
  /** From 0 up to, not including, 1; another for every probe. */
  readonly random: number;
}

export type Shape = Readonly<Record<string, z.ZodType>>;
type Values<Fields extends Shape> = { readonly [Key in keyof Fields]: z.output<Fields[Key]> };
type Settings<Fields extends Shape, Expected extends Shape> = Values<Fields> & {
  readonly expect: Values<Expected>;
};
/** Tells what is wrong with one of the settings; no path: with all of them together. */
export type Complain = (message: string, ...path: string[]) => void;

export interface CheckKind<Fields extends Shape = Shape, Expected extends Shape = Shape> {
  /** What it is, for the list of kinds: "a connection". */
  readonly is: string;
  /** Settings of a check that it has; several kinds may share one, if it is the same. */
  readonly fields: Fields;
  /** What it has below `expect`. */
  readonly expect: Expected;
  /** Fields that must be given. */
  readonly required?: readonly (keyof Fields & string)[];
  /** What must hold between several settings. */
  rules?(settings: Settings<Fields, Expected>, complain: Complain): void;
  /** True: it is not asked over TLS or with a PROXY header, wherever traffic goes. */
  readonly apart?: true;
  /** True: it has no use for TLS, in a pool with TLS either. */
  plain?(settings: Settings<Fields, Expected>): boolean;
  /** True: it begins plainly and comes to TLS by `overTls`. */
  startsTls?(settings: Settings<Fields, Expected>): boolean;
  /** True: it is asked in datagrams; `plain`: there would be neither TLS nor a PROXY header. */
  datagrams?(settings: Settings<Fields, Expected>, plain: boolean): boolean;
  /** Its probes speak HTTP/2: always, or where its pool does. */
  readonly http2?: "always" | "asPool";
  /** Begins one probe's talk; a string says why there can be none. Absent: its probes are made in a way of their own. */
  talk?(settings: Settings<Fields, Expected>, target: TalkTarget): Talk | string;
}

/** A kind whose settings only it can read. */
export function checkKind<Fields extends Shape, Expected extends Shape>(
  kind: CheckKind<Fields, Expected>,
): CheckKind {
  return kind as unknown as CheckKind;
}

export function good(reason: string): Turn & { verdict: Verdict } {
  return { verdict: { ok: true, reason } };
}

export function bad(reason: string): Turn & { verdict: Verdict } {
  return { verdict: { ok: false, reason } };
}

/** A server that left; `begun`: it had said something before. */
export function leftEarly(begun: boolean): Verdict {
  return {
    ok: false,
    reason: begun ? "the server broke off its answer" : "the server closed the connection without an answer",
  };
}

const encoder = new TextEncoder();

export function say(text: string): Turn {
  return { send: encoder.encode(text) };
}

/** What a server said, in the words of a reason: short, and harmless in a log. */
export function quoted(text: string): string {
  return printable(text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text);
}

/** A text of somebody else's without what could upset a terminal. */
export function printable(text: string): string {
  return text.replace(/[^\x20-\x7e…]/g, "?");
}

const MAX_QUOTED = 120;
