/** `tandem server add`, `remove` and `reset`. */
import { act, BOTH_HELP, BOTH_OPTIONS } from "./api_io.ts";
import { type Command, type Invocation, UsageError } from "./command.ts";
import { serverOf } from "./server_io.ts";

export const command: Command = {
  summary: "add and remove servers, or go back to the file",
  usage: "add POOL/NAME ADDRESS [OPTIONS] | remove POOL/SERVER | reset [POOL[/SERVER]]",
  arguments: 3,
  options: {
    ...BOTH_OPTIONS,
    weight: { type: "string" },
    state: { type: "string" },
    "max-connections": { type: "string" },
    backup: { type: "boolean" },
    "slow-start": { type: "string" },
  },
  help: `add     gives a pool a server that the file does not have, under the rules of the file
remove  takes a server out of its pool; what is under way on it is finished
reset   goes back to what the file says: states, weights, servers of a pool, of one server, or of all, and the level
        of the log

What is changed stays so as \`tandem drain\` says.

      --weight N           of a server that is added (default: 1)
      --state STATE        ready, drain or maint
      --max-connections N  most requests or connections at a time (default: no limit)
      --backup             used only when no other server is available
      --slow-start TIME    time in which it rises to its full weight, such as 30s
${BOTH_HELP}

Examples: tandem server add app/web4 10.0.0.14:8080 --slow-start 30s
          tandem server remove app/web1
          tandem server reset app --both`,
  run: async (invocation) => {
    const [verb, of, address] = invocation.positionals;
    if (verb === "add" && address !== undefined) return await add(invocation, of, address);
    if (verb === "remove" && address === undefined) {
      return await act(invocation, { method: "DELETE", path: serverOf(of).path }, `${of} is removed`);
    }
    if (verb === "reset" && address === undefined) return await reset(invocation, of);
    throw new UsageError("needs: add POOL/NAME ADDRESS, remove POOL/SERVER, or reset");
  },
};

async function add(invocation: Invocation, of: string | undefined, address: string): Promise<number> {
  const { pool, server } = serverOf(of);
  const { values } = invocation;
  const number = (option: string) => {
    const text = values[option];
    if (text === undefined) return undefined;
    if (!/^\d+$/.test(String(text))) throw new UsageError(`needs a whole number with --${option}`);
    return Number(text);
  };
  const body = {
    name: server,
    address,
    weight: number("weight"),
    state: values.state,
    maxConnections: number("max-connections"),
    backup: values.backup,
    slowStart: values["slow-start"],
  };
  const path = `/pools/${encodeURIComponent(pool)}/servers`;
  return await act(invocation, { method: "POST", path, body }, `${of} is added`);
}

async function reset(invocation: Invocation, of: string | undefined): Promise<number> {
  const [pool, server] = of?.split("/", 2) ?? [];
  const query = new URLSearchParams({
    ...pool === undefined ? {} : { pool },
    ...server === undefined ? {} : { server },
  });
  const path = `/changes?${query}`;
  return await act(invocation, { method: "DELETE", path }, `${of ?? "everything"} is as the file says`);
}
