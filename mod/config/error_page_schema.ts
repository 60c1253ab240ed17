/**
 * The schema of error pages: files by status. Pure.
 */
import { z } from "zod";
import { flag, line } from "./fields.ts";

/** A status, a class (`5xx`) or a range, all of errors. */
const STATUSES = /^(?:[45][0-9]{2}|[45]xx|[45][0-9]{2}-[45][0-9]{2})$/;

const statuses = z.string().regex(
  STATUSES,
  "must be a status of an error (404), a class (5xx) or a range (500-504)",
);

export const errorPages = z.record(statuses, line(1, 4096)).optional().describe(
  "Files for Tandem's own errors, by status (`404`), class (`5xx`) or range (`502-504`); relative to the directory of the configuration file.",
);

export const interceptErrors = flag().optional().describe(
  "Whether servers' answers of these statuses are replaced by them too. Default: false.",
);

/** The first and the last status that a key stands for; a key that says less wins over one that says more. */
export function statusRange(key: string): readonly [first: number, last: number] {
  if (key.endsWith("xx")) return [Number(key[0]) * 100, Number(key[0]) * 100 + 99];
  const [first = "", last = first] = key.split("-");
  return [Number(first), Number(last)];
}
