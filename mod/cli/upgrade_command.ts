/** `tandem upgrade`. */
import type { Command } from "./command.ts";
import { command as ask, SOCKET_HELP, SOCKET_OPTIONS } from "./socket_io.ts";

/** The keeper gives up sooner, and says why. */
const WITHIN_MS = 120_000;

export const command: Command = {
  summary: "have the installed program take over from the running one",
  usage: "[--json]",
  options: { ...SOCKET_OPTIONS, json: { type: "boolean" } },
  help:
    `Has the node on this machine start its program anew from the file it was started from, and hand everything
over to it: connections, addresses, health. No request is lost, and the addresses do not move. The configuration is
read anew too. When the new program cannot take over the running one goes on, and this says why and exits with 1. Each
machine has a program of its own: the other node is upgraded on its own machine.

${SOCKET_HELP}
      --json         the answer as JSON: version and process of the new program

Example: tandem upgrade && tandem status`,
  run: (invocation) =>
    ask(invocation, "/upgrade", "the new program has taken over; see tandem status", WITHIN_MS),
};
