/** `tandem certificates [renew NAME | forget NAME]`. */
import type { CertificateEntry } from "../observe/certificate_list.ts";
import { act, BOTH_HELP, BOTH_OPTIONS, show } from "./api_io.ts";
import { certificateTable } from "./certificate_table.ts";
import { type Command, UsageError } from "./command.ts";

export const command: Command = {
  summary: "show the certificates, renew one or forget it",
  usage: "[renew NAME | forget NAME]",
  arguments: 2,
  options: BOTH_OPTIONS,
  help:
    `Without a word it lists what listeners show and what else the configuration names (of the admin address, for servers,
of authorities): who has issued it, when it expires, and of what is had by ACME when the authority is asked next and
why the last attempt failed.

renew   asks the authority for another certificate now, also during a pause after failures; the old one serves on
        until it is there
forget  throws the certificate of a name and its key away, here and on the nodes that share it; where the
        configuration still wants the name, a new one with a new key is asked for

Either is said to one node of a pair that shares them, whichever: --both is for the list.

${BOTH_HELP}

Examples: tandem certificates
          tandem certificates --both
          tandem certificates renew shop.example.com`,
  run: async (invocation) => {
    const [verb, name] = invocation.positionals;
    if (verb === undefined) return await show(invocation, "/certificates", describeCertificates);
    if (name === undefined || verb !== "renew" && verb !== "forget") {
      throw new UsageError("needs: renew NAME, forget NAME, or nothing");
    }
    if (invocation.values.both === true) {
      throw new UsageError(
        `takes no --both with ${verb}: nodes that can ask each other share their certificates`,
      );
    }
    const path = `/certificates/${encodeURIComponent(name)}`;
    return verb === "renew"
      ? await act(
        invocation,
        { method: "POST", path: `${path}/renew` },
        `another certificate for ${name} is asked for`,
      )
      : await act(invocation, { method: "DELETE", path }, `the certificate for ${name} is forgotten`);
  },
};

function describeCertificates(value: unknown): string {
  return certificateTable(value as readonly CertificateEntry[], Date.now());
}
