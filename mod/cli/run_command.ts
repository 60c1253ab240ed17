/** `tandem run`. */
import type { Command } from "./command.ts";
import { run } from "./run.ts";
import { SELECTION_HELP, SELECTION_OPTIONS, selectionOf } from "./selection.ts";

export const command: Command = {
  summary: "run this node",
  usage: "[-c FILE]",
  options: SELECTION_OPTIONS,
  help: `Runs until SIGTERM or SIGINT, which finish what is under way first. SIGHUP reads the file again.

${SELECTION_HELP}

Example: tandem run -c /etc/tandem/tandem.yaml`,
  run: (invocation) => run({ ...selectionOf(invocation), entry: invocation.entry }),
};
