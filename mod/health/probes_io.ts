/** How each kind of check is probed: mostly by the talk that it has. */
import type { CheckSnapshot } from "../config/snapshot.ts";
import { AGENT } from "./agent_talk.ts";
import { CHECK_KINDS, CHECK_TYPES } from "./kinds.ts";
import type { Probe } from "./probe_io.ts";
import { probeTalk } from "./probe_talk_io.ts";
import { probeTls } from "./probe_tls_io.ts";

export type ProbeTable = Readonly<Record<CheckSnapshot["type"], Probe>>;

/** `exec` is given from outside, because commands run in another process than the one that schedules probes. */
export function probeTable(exec: Probe): ProbeTable {
  const talks = CHECK_TYPES.map((type) => [type, probeTalk(CHECK_KINDS[type])]);
  return { ...Object.fromEntries(talks), tls: probeTls, agent: probeTalk(AGENT), exec };
}
