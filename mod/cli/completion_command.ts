/** `tandem completion SHELL`. */
import { type Command, GOOD, UsageError, writeOut } from "./command.ts";
import { type Completed, completionScript, type Shell, SHELLS } from "./completion.ts";
import { COMMANDS } from "./table.ts";

export const command: Command = {
  summary: "print what completes the command line in a shell",
  usage: SHELLS.join("|"),
  arguments: 1,
  options: {},
  help: `Prints a script that completes commands and options.

Examples: tandem completion bash | sudo tee /etc/bash_completion.d/tandem
          source <(tandem completion zsh)
          tandem completion fish > ~/.config/fish/completions/tandem.fish`,
  run: async (invocation) => {
    const [word] = invocation.positionals;
    const shell = SHELLS.find((one) => one === word) as Shell | undefined;
    if (shell === undefined) throw new UsageError(`needs one of ${SHELLS.join(", ")}`);
    writeOut(completionScript(shell, await completed()));
    return GOOD;
  },
};

async function completed(): Promise<Completed[]> {
  const shown = Object.entries(COMMANDS).filter(([, { hidden }]) => hidden !== true);
  return await Promise.all(shown.map(async ([name, { summary, load }]) => {
    const { command } = await load();
    const options = Object.entries(command.options).flatMap(([long, { short }]) =>
      short === undefined ? [`--${long}`] : [`--${long}`, `-${short}`]
    );
    // Words in small letters are meant as they are.
    const usage = command.usage.replace(/-c FILE|--[a-z-]+( [A-Z]+)?/g, "");
    const words = [...new Set(usage.match(/(?<![A-Za-z-])[a-z]{2,}(?![A-Za-z])/g) ?? [])];
    return { name, summary, options: [...options, "--help"], words };
  }));
}
