/** `tandem reload`. */
import type { Command } from "./command.ts";
import { command as ask, SOCKET_HELP, SOCKET_OPTIONS } from "./socket_io.ts";

/** Names are looked up, and an upgrade that is under way comes first. */
const WITHIN_MS = 120_000;

export const command: Command = {
  summary: "read the configuration of the running node again",
  usage: "",
  options: SOCKET_OPTIONS,
  help:
    `Has the node on this machine read its file again, as SIGHUP does, and waits until the configuration is in
force. A bad one changes nothing: then this shows every problem and exits with 1.

${SOCKET_HELP}

Example: tandem reload`,
  run: (invocation) => ask(invocation, "/reload", "the configuration is in force", WITHIN_MS),
};
