/**
 * The link between the keeper and the balancer: which messages there are, and how they become lines and back.
 *
 * One message is one line of JSON, at most 64 KiB, checked against a schema in both directions: neither side
 * believes the other. They may differ in version: a kind of message that only one of them knows is passed over. A
 * configuration text is cut into parts that fit. Pure: knows no process and no pipe.
 */
import { z } from "zod";
import { MAX_STORED_CHARS, STORED_NAME } from "../acme/record.ts";
import type { LiveChanges } from "../config/live.ts";
import { MAX_PROCESSES } from "../config/functions.ts";
import { cut, MAX_PARTS, PART_UNITS } from "./parts.ts";

/** Bytes of one line without its line feed. A pipe of Linux holds as much. */
export const LINE_BYTES = 64 * 1024;
/** Problems of a refused configuration that are passed on, and the length of each. */
export const MAX_PROBLEMS = 50;
const PROBLEM_UNITS = 200;
/** Pools in one health message: fits even if every character of every name needs six bytes. */
export const POOLS_IN_MESSAGE = 32;
/** Servers in one message, for the same reason. */
export const SERVERS_IN_MESSAGE = 16;

const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const name = z.string().min(1).max(256);
/** A server without a name of its own has its host name's, and behind it one of the addresses. */
const serverName = z.string().min(1).max(512);
const text = z.string().max(4096);
const part = {
  part: z.number().int().min(0).max(MAX_PARTS - 1),
  parts: z.number().int().min(1).max(MAX_PARTS),
  text: z.string().max(PART_UNITS),
};

const TALK = [
  z.strictObject({ kind: z.literal("ask"), id: count, ...part }),
  z.strictObject({ kind: z.literal("answer"), id: count, ...part }),
] as const;

/** What the keeper says. */
export const TO_BALANCER = z.discriminatedUnion("kind", [
  /** First of all: who runs, and how the text that follows is to be read. */
  z.strictObject({
    kind: z.literal("hello"),
    version: name,
    node: name,
    context: z.string().max(256).nullable(),
    /** File name for messages only; the balancer does not open it. */
    file: text,
    /** True on the first start: an address that another process listens on is an error, not shared. */
    exclusive: z.boolean(),
  }),
  z.strictObject({
    kind: z.literal("config"),
    generation: count,
    ...part,
  }),
  /** What an operator has set (`config/live.ts`), as JSON: for the configuration of that generation, which follows. */
  z.strictObject({ kind: z.literal("live"), generation: count, ...part }),
  /** The same, but for the configuration that runs, which thereby becomes that generation. */
  z.strictObject({ kind: z.literal("change"), generation: count, ...part }),
  /** A question (`questions.ts`) of the other side, as JSON, and the answer to one. Both sides ask. */
  ...TALK,
  /** Before the first configuration: what the balancer that is replaced knew (`carried.ts`). */
  z.strictObject({ kind: z.literal("carried"), ...part }),
  /** Before the first configuration, of one that is started anew: what the one before has last said by the same word. */
  z.strictObject({ kind: z.literal("files"), ...part }),
  /** Where the processes of functions serve, all of them; before the first configuration, and whenever that changes. */
  z.strictObject({
    kind: z.literal("functions"),
    places: z.array(z.strictObject({ name, index: count, port: z.number().int().min(1).max(65535) })).max(
      MAX_PROCESSES,
    ),
  }),
  /** Another balancer is to take over: it wants to know what this one does. */
  z.strictObject({ kind: z.literal("carry") }),
  z.strictObject({
    kind: z.literal("drain"),
    deadlineMs: count,
    /** Another balancer has the ports and the admin address. */
    replaced: z.boolean().optional(),
  }),
  z.strictObject({
    kind: z.literal("probeResult"),
    id: count,
    ok: z.boolean(),
    reason: text,
    latencyMs: z.number().min(0),
  }),
  /** Whether this node is the one that has certificates issued. */
  z.strictObject({ kind: z.literal("issue"), on: z.boolean() }),
  /** Another node has given files of what is had by ACME. */
  z.strictObject({ kind: z.literal("arrived") }),
  /** The answer to `store`; empty: it is done. */
  z.strictObject({ kind: z.literal("stored"), id: count, problem: text }),
]);

/** What the balancer says: facts and requests, never rules or commands. */
export const TO_KEEPER = z.discriminatedUnion("kind", [
  /** Every worker has bound every listener of this generation. */
  z.strictObject({ kind: z.literal("ready"), generation: count }),
  z.strictObject({
    kind: z.literal("rejected"),
    generation: count,
    problems: z.array(z.string().max(PROBLEM_UNITS)).min(1).max(MAX_PROBLEMS),
  }),
  z.strictObject({ kind: z.literal("heartbeat"), sequence: count, lagMs: z.number().min(0) }),
  z.strictObject({
    kind: z.literal("health"),
    pools: z.array(z.strictObject({ pool: name, healthy: count, servers: count })).max(POOLS_IN_MESSAGE),
  }),
  /** How the servers of a pool are used, for what the kernel forwards. More than fit come in several messages. */
  z.strictObject({
    kind: z.literal("servers"),
    pool: name,
    servers: z.array(z.strictObject({ server: serverName, share: count, up: z.boolean() })).max(
      SERVERS_IN_MESSAGE,
    ),
  }),
  z.strictObject({
    kind: z.literal("counters"),
    connections: count,
    accepted: count,
    requests: count,
    errors: count,
    workersReplaced: count,
  }),
  ...TALK,
  /** The answer to `carry`. */
  z.strictObject({ kind: z.literal("carried"), ...part }),
  /** What the files in force hold (`config/held_files.ts`), whenever that changes. Secret, and for the next balancer alone. */
  z.strictObject({ kind: z.literal("files"), ...part }),
  /** An exec check is due. The keeper looks the command up in its own configuration. */
  z.strictObject({
    kind: z.literal("probe"),
    id: count,
    pool: name,
    server: serverName,
    host: name,
    port: z.number().int().min(0).max(65535),
  }),
  /** A certificate, a key or an account is to be kept, in the one directory for that. */
  z.strictObject({
    kind: z.literal("store"),
    id: count,
    file: z.string().regex(STORED_NAME),
    text: z.string().max(MAX_STORED_CHARS),
  }),
]);

export type ToBalancer = z.infer<typeof TO_BALANCER>;
export type ToKeeper = z.infer<typeof TO_KEEPER>;

export type Decoded<Message> =
  | { readonly kind: "message"; readonly message: Message }
  /** A line that is no message; `reason` is for the log and quotes nothing of the line. */
  | { readonly kind: "malformed"; readonly reason: string };

const encoder = new TextEncoder();
const LINE_FEED = 0x0a;

/** One message as a line, line feed included. Throws when it is too long, which is an error of ours. */
export function encodeLine<Message extends { readonly kind: string }>(
  message: Message,
): Uint8Array<ArrayBuffer> {
  const line = encoder.encode(JSON.stringify(message) + "\n");
  if (line.length - 1 > LINE_BYTES) {
    throw new Error(
      `Cannot send \`${message.kind}\` as a line may have ${LINE_BYTES} bytes: it has ${line.length - 1}`,
    );
  }
  return line;
}

/** Cuts a configuration into messages, in order. Throws when it is too long. */
export function configMessages(generation: number, whole: string): ToBalancer[] {
  return cut("configuration", whole).map((part) => ({ kind: "config", generation, ...part }));
}

/** The same for live changes. */
export function liveMessages(kind: "live" | "change", generation: number, live: LiveChanges): ToBalancer[] {
  return cut("live changes", JSON.stringify(live)).map((part) => ({ kind, generation, ...part }));
}

/** The `rejected` message for any number of problems of any length. */
export function rejectedMessage(generation: number, problems: readonly string[]): ToKeeper {
  const shown = problems.slice(0, problems.length > MAX_PROBLEMS ? MAX_PROBLEMS - 1 : MAX_PROBLEMS);
  const cut = shown.map((problem) =>
    problem.length > PROBLEM_UNITS ? problem.slice(0, PROBLEM_UNITS - 1) + "…" : problem
  );
  if (shown.length < problems.length) cut.push(`and ${problems.length - shown.length} more`);
  if (cut.length === 0) cut.push("no reason given");
  return { kind: "rejected", generation, problems: cut };
}

/** Splits a byte stream into lines and lines into messages. What is no message is reported and skipped. */
export class LineDecoder<Message> {
  #schema: z.ZodType<Message>;
  #rest: Uint8Array[] = [];
  #length = 0;
  /** The line under way is already too long: everything up to its end is thrown away. */
  #skipping = false;
  #utf8 = new TextDecoder("utf-8", { fatal: true });

  constructor(schema: z.ZodType<Message>) {
    this.#schema = schema;
  }

  push(chunk: Uint8Array): Decoded<Message>[] {
    const decoded: Decoded<Message>[] = [];
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, from)) {
      this.#keep(chunk.subarray(from, end));
      const one = this.#finish();
      if (one !== null) decoded.push(one);
      from = end + 1;
    }
    this.#keep(chunk.subarray(from));
    return decoded;
  }

  /** Bytes held of a line that is not complete: never more than `LINE_BYTES`. */
  get held(): number {
    return this.#length;
  }

  #keep(bytes: Uint8Array): void {
    if (this.#skipping || bytes.length === 0) return;
    if (this.#length + bytes.length > LINE_BYTES) {
      this.#skipping = true;
      this.#rest = [];
      this.#length = 0;
      return;
    }
    // A copy: the reader may use its buffer again.
    this.#rest.push(bytes.slice());
    this.#length += bytes.length;
  }

  /** Null: it is of a kind that is not known here. */
  #finish(): Decoded<Message> | null {
    const tooLong = this.#skipping;
    const line = new Uint8Array(this.#length);
    let at = 0;
    for (const bytes of this.#rest) {
      line.set(bytes, at);
      at += bytes.length;
    }
    this.#rest = [];
    this.#length = 0;
    this.#skipping = false;
    if (tooLong) return { kind: "malformed", reason: `the line has more than ${LINE_BYTES} bytes` };
    let value: unknown;
    try {
      value = JSON.parse(this.#utf8.decode(line));
    } catch {
      return { kind: "malformed", reason: "the line is not JSON" };
    }
    const checked = this.#schema.safeParse(value);
    if (checked.success) return { kind: "message", message: checked.data };
    const issue = checked.error.issues[0];
    if (isOtherKind(value, issue)) return null;
    return { kind: "malformed", reason: `at /${issue?.path.join("/") ?? ""}: ${issue?.code ?? "unknown"}` };
  }
}

/** The only complaint of a union about `kind` itself is that it has none such. */
function isOtherKind(value: unknown, issue: z.core.$ZodIssue | undefined): boolean {
  const { kind } = value as { readonly kind?: unknown } ?? {};
  return typeof kind === "string" && issue?.code === "invalid_union" && issue.path.join("/") === "kind";
}
