/** What is asked of a process that bundles, and what it answers. Pure. */
import { z } from "zod";
import type { FunctionConfig } from "../config/function_schema.ts";
import { type Problem, problemAt } from "../config/problem.ts";

/** A function is held by the keeper, and in each of its processes. */
export const MAX_BUNDLE_CHARS = 8 * 1024 * 1024;

export const BUNDLE_REQUEST = z.strictObject({ modules: z.array(z.string()) });

const PROBLEM: z.ZodType<Problem> = z.strictObject({
  file: z.string(),
  line: z.number(),
  column: z.number(),
  path: z.string(),
  message: z.string(),
  source: z.string(),
  caret: z.number(),
  caretLength: z.number(),
});

/** Files that are the user's own, no packages, also those that are missing: absolute paths and what was read of each. */
const FILES = z.array(z.tuple([z.string(), z.string()])).readonly();

const BUNDLED = z.union([
  z.strictObject({ code: z.string().max(MAX_BUNDLE_CHARS), files: FILES }),
  z.strictObject({ problems: z.array(PROBLEM).min(1).readonly(), files: FILES }),
]);

export const BUNDLE_ANSWER = z.array(BUNDLED);

/** Files with their stamps (`base/file_stamp_io.ts`) of when they were read. */
export type FilesRead = z.infer<typeof FILES>;

/** What became of one module. */
export type Bundled = z.infer<typeof BUNDLED>;

/** A function that can be started. */
export interface BuiltFunction {
  readonly settings: FunctionConfig;
  readonly code: string;
  /** Files that it is made of; when one changes it is another. */
  readonly files: FilesRead;
}

/** What is wrong with a file as a whole. */
export function wholeProblem(file: string, message: string): Problem {
  return problemAt(file, "", { start: 0, end: 0 }, [], message);
}
