/** `tandem vip move INSTANCE`. */
import { type Command, UsageError } from "./command.ts";
import { command as ask, SOCKET_HELP, SOCKET_OPTIONS } from "./socket_io.ts";

export const command: Command = {
  summary: "move an address to another node",
  usage: "move INSTANCE",
  arguments: 2,
  options: SOCKET_OPTIONS,
  help: `Has the node on this machine hand the addresses of an instance over to another node, which keeps them
until it fails or they are moved again.

${SOCKET_HELP}

Example: tandem vip move edge`,
  run: (invocation) => {
    const [verb, instance] = invocation.positionals;
    if (verb !== "move" || instance === undefined) throw new UsageError("needs: move INSTANCE");
    const request = `/vip/move?instance=${encodeURIComponent(instance)}`;
    return ask(invocation, request, `${instance} is being handed over; see tandem status`);
  },
};
