/** `tandem run`. */
import { type Command, UsageError } from "./command.ts";
import { run, TAKE_OVER } from "./run.ts";
import { SELECTION_HELP, SELECTION_OPTIONS, selectionOf } from "./selection.ts";

export const command: Command = {
  summary: "run this node",
  usage: "[-c FILE]",
  options: { ...SELECTION_OPTIONS, [TAKE_OVER]: { type: "boolean" } },
  help:
    `Runs until SIGTERM or SIGINT, which finish what is under way first. SIGHUP reads the file again; SIGUSR2 has
the program that is installed by then take over (tandem upgrade).

${SELECTION_HELP}

Example: tandem run -c /etc/tandem/tandem.yaml`,
  run: (invocation) => {
    const takeOver = invocation.values[TAKE_OVER] === true;
    if (takeOver && Deno.stdin.isTerminal()) {
      throw new UsageError(`--${TAKE_OVER} is what a keeper starts its successor with: use tandem upgrade`);
    }
    return run({ ...selectionOf(invocation), entry: invocation.entry, takeOver });
  },
};
