/** `tandem completion SHELL`. */
import { LOG_LEVELS } from "../config/live.ts";
import { callApi } from "./api_io.ts";
import { BAD, type Command, GOOD, type Invocation, UsageError, writeOut } from "./command.ts";
import { type Completed, completionScript, type Shell, SHELLS } from "./completion.ts";
import { SOCKET_HELP, SOCKET_OPTIONS } from "./socket_io.ts";
import { COMMANDS } from "./table.ts";

/** Words that a command takes, and its usage does not spell out. */
const VALUES: Readonly<Record<string, readonly string[]>> = { log: LOG_LEVELS };
/** Commands that take names of what the node has, or a file. */
const NAMES: Readonly<Record<string, Completed["names"]>> = {
  drain: "servers",
  ready: "servers",
  maint: "servers",
  weight: "servers",
  sessions: "pools",
  plan: "files",
  import: "files",
};

export const command: Command = {
  summary: "print what completes the command line in a shell",
  usage: SHELLS.join("|"),
  arguments: 1,
  options: SOCKET_OPTIONS,
  help:
    `Prints a script that completes commands, options, files, and in bash names of pools and servers, for which it asks
the usual node (\`completion pools\`, \`completion servers\`).

${SOCKET_HELP}

Examples: tandem completion bash | sudo tee /etc/bash_completion.d/tandem
          source <(tandem completion zsh)
          tandem completion fish > ~/.config/fish/completions/tandem.fish`,
  run: async (invocation) => {
    const [word] = invocation.positionals;
    // What the scripts themselves call.
    if (word === "pools" || word === "servers") return await names(word, invocation);
    const shell = SHELLS.find((one) => one === word) as Shell | undefined;
    if (shell === undefined) throw new UsageError(`needs one of ${SHELLS.join(", ")}`);
    writeOut(completionScript(shell, await completed()));
    return GOOD;
  },
};

/** A shell waits for no longer. */
const WITHIN_MS = 1000;

/** Names of what the usual node has, one a line; nothing, and no complaint, where it does not answer. */
async function names(what: "pools" | "servers", invocation: Invocation): Promise<number> {
  const answer = await callApi(invocation, { method: "GET", path: "/pools", withinMs: WITHIN_MS });
  if ("problem" in answer) return BAD;
  const pools = answer.value as readonly { name: string; servers: readonly { name: string }[] }[];
  const found = what === "pools"
    ? pools.map(({ name }) => name)
    : pools.flatMap(({ name, servers }) => servers.map((server) => `${name}/${server.name}`));
  writeOut(found.map((name) => `${name}\n`).join(""));
  return GOOD;
}

async function completed(): Promise<Completed[]> {
  const shown = Object.entries(COMMANDS).filter(([, { hidden }]) => hidden !== true);
  return await Promise.all(shown.map(async ([name, { summary, load }]) => {
    const { command } = await load();
    // What no help tells of is for the program itself.
    const told = Object.entries(command.options).filter(([long]) =>
      `${command.usage}${command.help}`.includes(`--${long}`)
    );
    const options = told.flatMap(([long, { short }]) =>
      short === undefined ? [`--${long}`] : [`--${long}`, `-${short}`]
    );
    // Words in small letters are meant as they are.
    const usage = command.usage.replace(/-c FILE|--[a-z-]+( [A-Z]+)?/g, "");
    const words = [...new Set(usage.match(/(?<![A-Za-z-])[a-z]{2,}(?![A-Za-z])/g) ?? [])];
    return {
      name,
      summary,
      options: [...options, "--help"],
      words: [...words, ...VALUES[name] ?? []],
      names: NAMES[name] ?? "none",
    };
  }));
}
