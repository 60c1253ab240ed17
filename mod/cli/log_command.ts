/** `tandem log LEVEL`. */
import { LOG_LEVELS } from "../config/live.ts";
import { act, BOTH_HELP, BOTH_OPTIONS, show } from "./api_io.ts";
import { type Command, UsageError } from "./command.ts";

export const command: Command = {
  summary: "log more, or less",
  usage: "[LEVEL]",
  arguments: 1,
  options: BOTH_OPTIONS,
  help: `Sets the least level that is logged: ${
    LOG_LEVELS.join(", ")
  }. It stays so until \`tandem server reset\`. Without a
level it tells which it is.

${BOTH_HELP}

Example: tandem log debug`,
  run: async (invocation) => {
    const [level] = invocation.positionals;
    if (level === undefined) {
      return await show(invocation, "/log", (value) => `${(value as { readonly level: string }).level}\n`);
    }
    if (!(LOG_LEVELS as readonly string[]).includes(level)) {
      throw new UsageError(`needs one of ${LOG_LEVELS.join(", ")}`);
    }
    return await act(
      invocation,
      { method: "PATCH", path: "/log", body: { level } },
      `the log has level ${level}`,
    );
  },
};
