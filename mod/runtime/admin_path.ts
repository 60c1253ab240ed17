/**
 * Where a node's admin socket is: what was configured, else a directory of the service, of root or of the user,
 * and in it the node's name, so that two nodes of a lab fit on one machine. Pure.
 */

import { MAX_SOCKET_PATH } from "../config/schema.ts";

export interface AdminPathFacts {
  /** `admin.socket` of the configuration; empty: not set. */
  readonly configured: string;
  readonly node: string;
  readonly uid: number | null;
  readonly env: (name: string) => string | undefined;
}

/** The path, or why there is none. */
export function adminSocketPath(facts: AdminPathFacts): { path: string } | { problem: string } {
  const path = facts.configured !== ""
    ? facts.configured
    : `${directory(facts)}/${safeName(facts.node)}.sock`;
  const length = new TextEncoder().encode(path).length;
  if (length > MAX_SOCKET_PATH) {
    return {
      problem: `Cannot open the admin socket as its path may have ${MAX_SOCKET_PATH} bytes: ` +
        `${path} has ${length}; set admin.socket`,
    };
  }
  return { path };
}

function directory({ uid, env }: AdminPathFacts): string {
  // systemd, RuntimeDirectory=; of several it lists all, and the first is ours.
  const service = env("RUNTIME_DIRECTORY")?.split(":")[0];
  if (service) return service;
  if (uid === 0) return "/run/tandem";
  const session = env("XDG_RUNTIME_DIR");
  if (session) return `${session}/tandem`;
  return `${env("TMPDIR") || "/tmp"}/tandem-${uid ?? "user"}`;
}

/** A node name is a file name here: what could lead elsewhere is percent-encoded. */
export function safeName(node: string): string {
  return encodeURIComponent(node).replace(/^\.+/, (dots) => "%2E".repeat(dots.length));
}
