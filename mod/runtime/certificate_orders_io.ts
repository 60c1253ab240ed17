/**
 * What an operator has done to certificates by ACME, in the keeper: it changes what is stored, and the balancer of the
 * node that asks the authority does the rest, here or on the node with which the files are shared.
 */
import { certificateFile, readRecord, recordFile } from "../acme/record.ts";
import { type Command, done, type Outcome, refused } from "./commands.ts";
import type { StoredFiles } from "./stored_files_io.ts";

export type CertificateOrder = Extract<Command, { do: "renewCertificate" | "forgetCertificate" }>;

export interface OrderFacts {
  readonly files: StoredFiles;
  /** Of the authority. */
  readonly directory: string;
  /** Those that the configuration wants certificates for. */
  readonly names: readonly string[];
  /** Whether this node asks the authority. */
  readonly active: boolean;
  /** Whether other nodes get what is stored here; null: there are none. */
  readonly shared: boolean | null;
}

export async function performOrder(order: CertificateOrder, facts: OrderFacts): Promise<Outcome> {
  return order.do === "renewCertificate" ? await renew(order.name, facts) : await forget(order.name, facts);
}

/** A record that says that it is due, and that no pause is to be kept. */
async function renew(
  name: string,
  { files, directory, names, active, shared }: OrderFacts,
): Promise<Outcome> {
  if (!names.includes(name)) {
    return refused(404, `no certificate for ${name} is had by ACME: the configuration does not want one`);
  }
  if (!active && shared !== true) {
    const why =
      "this node asks no authority, as it does not hold the addresses, and shares nothing without keys";
    return refused(409, `${why}: ask the one that does`);
  }
  const file = await files.read(recordFile(name));
  const before = readRecord(file?.text ?? null);
  // One of another authority is due anyway, and stays known as such.
  const due = before.directory === "" || before.directory === directory
    ? { ...before, directory, renewAt: 0 }
    : before;
  const problem = await files.store(recordFile(name), JSON.stringify({ ...due, nextAt: 0 }));
  if (problem !== "") return refused(503, problem);
  return done(
    active ? [] : ["the node that holds the addresses asks the authority, once it has heard of it"],
  );
}

async function forget(name: string, { files, names, shared }: OrderFacts): Promise<Outcome> {
  let forgotten = 0;
  // The account's key is stored beside them, by a name that no host has.
  const known = !name.startsWith("_") ? [certificateFile(name), recordFile(name)] : [];
  for (const file of known) {
    const stored = await files.read(file);
    if (stored === null || stored.text === "") continue;
    const problem = await files.store(file, "");
    if (problem !== "") return refused(503, problem);
    forgotten++;
  }
  if (forgotten === 0) return refused(404, `nothing is stored for ${name}`);
  return done([
    ...shared === false ? ["other nodes keep theirs, as nothing is shared without keys"] : [],
    ...names.includes(name)
      ? [`the configuration wants ${name}: until there is a new one, clients are shown one of the node's own`]
      : [],
  ]);
}
