/** The exec check: a program says. The keeper runs it. Pure. */
import { z } from "zod";
import { oneOrMore } from "../../config/fields.ts";
import { quoteText } from "../../config/problem.ts";
import { checkKind } from "../check_kind.ts";

const fields = {
  command: oneOrMore(z.string().min(1).refine((text) => !text.includes("\0"), "must not contain NUL"))
    .optional()
    .describe("Absolute path of the program, or a list with its arguments; exit code 0 is good."),
};

export const exec = checkKind({
  is: "a program",
  fields,
  expect: {},
  required: ["command"],
  apart: true,
  rules({ command }, complain) {
    const program = command?.[0];
    if (program !== undefined && !program.startsWith("/")) {
      complain(`must be an absolute path, not ${quoteText(program)}`, "command");
    }
  },
});

/** The command of a check of this kind. */
export function commandOf(settings: Readonly<Record<string, unknown>>): readonly string[] {
  return settings["command"] as readonly string[];
}
