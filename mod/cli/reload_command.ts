/** `tandem reload`. */
import { act, BOTH_HELP, BOTH_OPTIONS } from "./api_io.ts";
import type { Command } from "./command.ts";

/** Names are looked up, and an upgrade that is under way comes first. */
const WITHIN_MS = 120_000;

export const command: Command = {
  summary: "read the configuration of a running node again",
  usage: "",
  options: BOTH_OPTIONS,
  help:
    `Has the node read its file again, as SIGHUP does, and waits until the configuration is in force. A bad one
changes nothing: then this shows every problem and exits with 1. With --both each node reads its own file, the one
that is asked first; when one refuses, those behind it are left as they are.

${BOTH_HELP}

Examples: tandem reload
          tandem plan --both && tandem reload --both`,
  run: (invocation) =>
    act(
      invocation,
      { method: "POST", path: "/reload", withinMs: WITHIN_MS },
      "the configuration is in force",
    ),
};
