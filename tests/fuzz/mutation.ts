/**
 * Seeded mutation of byte messages, and how long a fuzz test may run: a second by default, `-- --seconds=600` for
 * more, `-- --seed=7` to see a failure again. Every failure message names its seed. However slow the machine is, as
 * many messages are tried as it takes for some of them to be valid still.
 */
import { fromLatin1 } from "../../mod/http/grammar.ts";

const DEFAULT_SECONDS = 1;
const LEAST_MESSAGES = 100;
/** Bytes that mean something to some parser: most mistakes need one of them. */
const TELLING = fromLatin1('\r\n\t :;,="\\\0\x7f\x80\xff0159afAFxX-_+./?#*%[]@chunkedHTTP/1.');

function flag(name: string, fallback: number): number {
  const given = Deno.args.find((arg) => arg.startsWith(`--${name}=`));
  return given === undefined ? fallback : Number(given.slice(name.length + 3));
}

/** A generator of numbers in [0, 1) that is determined by its seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A message of the corpus with one to six small changes; now and then random bytes. */
export function mutate(corpus: readonly Uint8Array[], random: () => number): Uint8Array {
  const below = (limit: number) => Math.floor(random() * limit);
  if (random() < 0.05) return Uint8Array.from({ length: below(80) }, () => below(256));
  let bytes = corpus[below(corpus.length)]!;
  for (let changes = 1 + below(6); changes > 0; changes--) {
    const at = below(bytes.length + 1);
    const until = Math.min(bytes.length, at + below(8));
    const other = corpus[below(corpus.length)]!;
    const from = below(other.length);
    const inserts = [
      Uint8Array.of(TELLING[below(TELLING.length)]!),
      Uint8Array.of(below(256)),
      bytes.subarray(at, until),
      other.subarray(from, from + below(20)),
      new Uint8Array(0),
    ];
    const insert = inserts[below(inserts.length)]!;
    const rest = bytes.subarray(random() < 0.5 ? at : until);
    bytes = fromParts(bytes.subarray(0, at), insert, rest);
  }
  return bytes;
}

function fromParts(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Calls `check` with mutated messages until the time is over; names the seed of the one that fails. */
export function fuzz(
  corpus: readonly string[],
  check: (message: Uint8Array, random: () => number) => void,
): void {
  for (const { seed, message, random } of mutations(corpus)) {
    try {
      check(message, random);
    } catch (cause) {
      throw failure(seed, message, cause);
    }
  }
}

/** The same for checks that wait. */
export async function fuzzAsync(
  corpus: readonly string[],
  check: (message: Uint8Array, seed: number) => Promise<void>,
): Promise<void> {
  for (const { seed, message } of mutations(corpus)) {
    try {
      await check(message, seed);
    } catch (cause) {
      throw failure(seed, message, cause);
    }
  }
}

interface Mutation {
  readonly seed: number;
  readonly message: Uint8Array;
  readonly random: () => number;
}

function* mutations(corpus: readonly string[]): Generator<Mutation> {
  const messages = corpus.map(fromLatin1);
  const only = flag("seed", -1);
  const until = performance.now() + 1000 * flag("seconds", DEFAULT_SECONDS);
  const goesOn = (seed: number) => seed < LEAST_MESSAGES || performance.now() < until;
  for (let seed = Math.max(only, 0); only >= 0 ? seed === only : goesOn(seed); seed++) {
    const random = seeded(seed);
    yield { seed, message: mutate(messages, random), random };
  }
}

function failure(seed: number, message: Uint8Array, cause: unknown): Error {
  const text = JSON.stringify(String.fromCharCode(...message));
  return new Error(`Cannot go on with seed ${seed}, whose message is ${text}`, { cause });
}
