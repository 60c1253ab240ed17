/** The resources of the API: a file each, and a line here. */
import type { Resource } from "./operation.ts";
import { cache } from "./cache.ts";
import { certificates } from "./certificates.ts";
import { changes } from "./changes.ts";
import { instances } from "./instances.ts";
import { listeners } from "./listeners.ts";
import { log } from "./log.ts";
import { maintenance } from "./maintenance.ts";
import { plan } from "./plan.ts";
import { pools } from "./pools.ts";
import { reload } from "./reload.ts";
import { servers } from "./servers.ts";
import { sessions } from "./sessions.ts";
import { status } from "./status.ts";

export const RESOURCES: readonly Resource[] = [
  status,
  listeners,
  certificates,
  pools,
  servers,
  sessions,
  cache,
  instances,
  maintenance,
  changes,
  log,
  plan,
  reload,
];
