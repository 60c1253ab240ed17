/** The tcp probe: a server that accepts a connection is healthy. It sends nothing and reads nothing. */
import { connect, type Probe, runProbe } from "./probe_io.ts";

export const probeTcp: Probe = (target, signal) =>
  runProbe(target.check.timeoutMs, signal, async (scope) => {
    await connect(target, scope);
    return { ok: true, reason: "connected" };
  });
