/** The page of all commands, made of their own help. Pure. */
import type { Command } from "./command.ts";

export interface Described {
  readonly name: string;
  readonly command: Pick<Command, "summary" | "usage" | "help">;
}

export function manualPage(commands: readonly Described[]): string {
  const list = commands.map(({ name, command }) => `- [\`${name}\`](#tandem-${name}): ${command.summary}`);
  const each = commands.map(({ name, command }) =>
    `## tandem ${name}\n\n\`\`\`text\n${
      `tandem ${name} ${command.usage}`.trimEnd()
    }\n\n${command.help}\n\`\`\`\n`
  );
  return `# The command line

Made from the program's own help (\`deno task docs\`): \`tandem COMMAND --help\`.

| Exit code | Means |
| --------- | ----- |
| 0 | good: it is done, or what was asked about is good |
| 1 | bad: it cannot be done, nobody answers, or what was asked about is bad |
| 2 | the command line is wrong |

Answers go to standard output, complaints and warnings to standard error. \`--json\` prints the answer as JSON, for
programs. Commands reach a node of this machine by its admin socket, or another by \`--url\` and
\`--token\`; see [the API](api.md). \`tandem completion\` completes commands and options in a shell.

${list.join("\n")}

${each.join("\n")}`;
}
