/**
 * What two nodes say to each other so that both have the newest of every file: which they have, what the other lacks.
 * Pure.
 *
 * The one that begins tells what it has; the other gives what is newer and asks for what is older; the first gives that.
 * One round gives as much as fits into a frame, the next the rest.
 */
import { z } from "zod";
import { MAX_STORED_CHARS, STORED_NAME } from "../acme/record.ts";

/** More than any node has: each name has two. */
export const MAX_FILES = 1000;
/** Of texts in one frame: with what JSON makes of line ends it is still one. */
const MAX_GIVEN_CHARS = 500_000;

const name = z.string().regex(STORED_NAME);
const time = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const file = z.strictObject({ name, at: time, text: z.string().max(MAX_STORED_CHARS) });

/** When each file was written, in milliseconds since 1970. */
export const HAVE = z.strictObject({ have: z.array(z.tuple([name, time])).max(MAX_FILES) });
export const GIVE = z.strictObject({
  give: z.array(file).max(MAX_FILES),
  want: z.array(name).max(MAX_FILES),
});

export type Times = ReadonlyMap<string, number>;
export type Given = z.output<typeof GIVE>["give"];

/** What the other lacks of what we have, and what we lack. */
export function compare(ours: Times, theirs: Times): { give: string[]; want: string[] } {
  const newer = (some: Times, others: Times) =>
    [...some].filter(([name, at]) => at > (others.get(name) ?? -1)).map(([name]) => name);
  return { give: newer(ours, theirs), want: newer(theirs, ours) };
}

/** As many of the files as one frame takes. */
export function fitting<File extends { readonly text: string }>(files: readonly File[]): File[] {
  let room = MAX_GIVEN_CHARS;
  return files.filter(({ text }) => (room -= text.length) >= 0);
}

/** The message in a text of the other node; throws when it is none. */
export function readMessage<T>(schema: z.ZodType<T>, text: string): T {
  const read = schema.safeParse(JSON.parse(text));
  if (!read.success) throw new Error("it says what this node does not understand");
  return read.data;
}
