/** `tandem vip move INSTANCE` and `tandem vip clean`. */
import { type Command, type Invocation, UsageError } from "./command.ts";
import { SELECTION_HELP, SELECTION_OPTIONS } from "./selection.ts";
import { act, API_OPTIONS } from "./api_io.ts";
import { clean } from "./vip_clean.ts";

export const command: Command = {
  summary: "move an address to another node, or clean up after a crash",
  usage: "move INSTANCE | clean [-c FILE]",
  arguments: 2,
  options: { ...SELECTION_OPTIONS, ...API_OPTIONS },
  help:
    `move   has the node hand the addresses of an instance over to another, which keeps them until it fails or they are
       moved again; only the node that holds them can: where it is the other one, --node peer asks that. An instance
       has one owner, so there is no --both
clean  takes off this machine what a keeper that was killed left of the addresses in the file, without waiting for
       the end of their leases; what a live keeper leases is never touched. Rules in the kernel go too, unless
       kernel.onExit is keep

${SELECTION_HELP}
      --socket PATH   the node's admin socket (default: where a node of that name has it)
      --url URL       move: ask this admin address instead, also of another machine
      --token TOKEN   for an address (default: $TANDEM_TOKEN)
      --ca FILE       for an https address whose certificate an authority of these (PEM) has signed
      --json          move: the answer as JSON

Examples: tandem vip move edge
          tandem vip move edge --node peer
          tandem vip clean -c /etc/tandem/tandem.yaml`,
  run: async (invocation) => {
    const [verb, instance] = invocation.positionals;
    if (verb === "clean" && instance === undefined) return await clean(invocation);
    if (verb === "move" && instance !== undefined) return await move(invocation, instance);
    throw new UsageError("needs: move INSTANCE, or clean");
  },
};

function move(invocation: Invocation, instance: string): Promise<number> {
  const path = `/instances/${encodeURIComponent(instance)}/move`;
  return act(invocation, { method: "POST", path }, `${instance} is being handed over; see tandem status`);
}
