/**
 * What two keepers of one node say to each other while the new one takes over from the old one: lines of JSON over the
 * new one's standard input and output. docs/operations.md tells the story.
 *
 * The two may differ in version. What only one of them knows (kinds of messages, fields, documents) is passed over by
 * the other, so that additions need no new number; `PROTOCOL` changes when they could misunderstand each other. Pure.
 */
import { z } from "zod";
import { MAX_PARTS, PART_UNITS } from "./parts.ts";

export const PROTOCOL = 1;

/** What the new keeper says. */
export const FROM_SUCCESSOR = z.discriminatedUnion("kind", [
  /** First of all. */
  z.object({ kind: z.literal("hello"), protocol: z.number(), version: z.string() }),
  /** Its balancer serves beside the old one, and health is known. `broken`: functions that it cannot load. */
  z.object({
    kind: z.literal("ready"),
    broken: z.array(z.object({ name: z.string(), reason: z.string() })).default([]),
  }),
  /** It has the node. */
  z.object({ kind: z.literal("taken") }),
  /** It ends; the old one goes on. */
  z.object({ kind: z.literal("failed"), problems: z.array(z.string()) }),
]);

/** What the old keeper says; the end of the stream after `taken` means that it is told to be the node. */
export const TO_SUCCESSOR = z.discriminatedUnion("kind", [
  /** Parts of a document: `live` and then `balancer` are the answer to `hello`, `keeper` the answer to `ready`. */
  z.object({
    kind: z.literal("document"),
    name: z.string(),
    part: z.number().int().min(0).max(MAX_PARTS - 1),
    parts: z.number().int().min(1).max(MAX_PARTS),
    text: z.string().max(PART_UNITS),
  }),
]);

export type FromSuccessor = z.infer<typeof FROM_SUCCESSOR>;
export type ToSuccessor = z.infer<typeof TO_SUCCESSOR>;
export type DocumentName = "live" | "balancer" | "keeper";

const ms = z.number();
const hex = z.string().regex(/^[0-9a-f]{1,16}$/);

const INSTANCE = z.object({
  state: z.enum(["initialize", "backup", "active", "fault"]),
  reason: z.string(),
  forMs: ms,
  wasWell: z.boolean().default(false),
  movedAway: z.string().nullable().default(null),
  followMs: ms,
  moves: z.object({ level: z.number(), agoMs: ms }).default({ level: 0, agoMs: 0 }),
});

const VOICE = z.object({
  incarnation: hex,
  sequence: z.number().int().min(0),
  nonces: z.tuple([hex, hex]),
  peers: z.array(z.object({
    node: z.string(),
    incarnation: hex,
    sequence: z.number().int().min(0),
    timestampMs: ms,
    nonce: hex,
    retired: z.array(hex),
  })),
});

const ANSWER = z.object({
  ok: z.boolean().nullable(),
  reason: z.string(),
  value: z.number().exactOptional(),
});

/** The document `keeper`. An election that is not understood would lose the addresses, so that is an error. */
const KEEPER = z.object({
  election: z.object({
    maintenance: z.boolean(),
    instances: z.record(z.string(), INSTANCE),
    voices: z.record(z.string(), VOICE).default({}),
    answers: z.array(z.object({ track: z.unknown(), answer: ANSWER })).default([]),
  }),
  /** Kernel settings that were changed, as they were before. */
  sysctls: z.record(z.string(), z.string()).default({}),
  /** Who is told how the node is; null: nobody. */
  service: z.object({ socket: z.string(), watchdogMs: z.number().nullable() }).nullable().default(null),
});

export type CarriedKeeper = z.infer<typeof KEEPER>;

/** Reads the document. Throws with what is wrong with it. */
export function readCarriedKeeper(text: string): CarriedKeeper {
  const checked = KEEPER.safeParse(JSON.parse(text));
  if (checked.success) return checked.data;
  const issue = checked.error.issues[0];
  throw new Error(
    `what the old keeper told is not understood: at /${issue?.path.join("/")}: ${issue?.message}`,
  );
}
