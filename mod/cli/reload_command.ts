/** `tandem reload`. */
import { act, API_HELP, API_OPTIONS } from "./api_io.ts";
import type { Command } from "./command.ts";

/** Names are looked up, and an upgrade that is under way comes first. */
const WITHIN_MS = 120_000;

export const command: Command = {
  summary: "read the configuration of the running node again",
  usage: "",
  options: API_OPTIONS,
  help:
    `Has the node read its file again, as SIGHUP does, and waits until the configuration is in force. A bad one
changes nothing: then this shows every problem and exits with 1.

${API_HELP}

Example: tandem reload`,
  run: (invocation) =>
    act(
      invocation,
      { method: "POST", path: "/reload", withinMs: WITHIN_MS },
      "the configuration is in force",
    ),
};
