/**
 * Where a node keeps what must outlast it: what was configured, else a directory of the service, of root or of the
 * user, and in it the node's name, as two nodes of a lab must not share it. Pure.
 */
import { safeName } from "./admin_path.ts";

export interface StatePathFacts {
  /** `acme.state` of the configuration; absent: not set. */
  readonly configured: string | undefined;
  readonly node: string;
  readonly uid: number | null;
  readonly env: (name: string) => string | undefined;
}

/** The directory of what is had by ACME. */
export function acmeDirectory(facts: StatePathFacts): string {
  return `${facts.configured ?? directory(facts)}/${safeName(facts.node)}/acme`;
}

function directory({ uid, env }: StatePathFacts): string {
  // systemd, StateDirectory=; of several it lists all, and the first is ours.
  const service = env("STATE_DIRECTORY")?.split(":")[0];
  if (service) return service;
  if (uid === 0) return "/var/lib/tandem";
  const own = env("XDG_STATE_HOME") || `${env("HOME") || env("TMPDIR") || "/tmp"}/.local/state`;
  return `${own}/tandem`;
}
