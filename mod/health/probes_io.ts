/** The table of probes: the type of a check to the function that runs it. A new kind of check is one line here. */
import type { CheckSnapshot } from "../config/snapshot.ts";
import { probeHttp } from "./probe_http_io.ts";
import type { Probe } from "./probe_io.ts";
import { probeTcp } from "./probe_tcp_io.ts";
import { probeTls } from "./probe_tls_io.ts";

export type ProbeTable = Readonly<Record<CheckSnapshot["type"], Probe>>;

/** `exec` is given from outside, because commands run in another process than the one that schedules probes. */
export function probeTable(exec: Probe): ProbeTable {
  return {
    http: probeHttp,
    tcp: probeTcp,
    tls: probeTls,
    exec,
  };
}
