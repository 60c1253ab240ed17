/**
 * `tandem balancer`, which only the keeper calls: composes the balancer process.
 *
 * The console is the first import, as standard output is the link to the keeper.
 */
import "../runtime/console_io.ts";
import { createAdminApp } from "../../routes/app.ts";
import { lookUp, SYSTEM_LOOKUP } from "../discovery/lookup_io.ts";
import { AccessOutput } from "../observe/access_output_io.ts";
import { logger } from "../observe/log.ts";
import { Refusals } from "../observe/refusals.ts";
import { setUpLog } from "../observe/log_io.ts";
import { Sink } from "../observe/sink_io.ts";
import { runBalancer } from "../runtime/balancer_io.ts";
import { type Build, Control } from "../runtime/control_io.ts";
import { OwnStdout } from "../runtime/own_stdout_io.ts";

/** Runs until the keeper is done with it; ends by exiting. */
export async function balancer(build: Build): Promise<never> {
  setUpLog({ level: "info", format: "auto" });
  const log = logger("balancer");
  const refusals = new Refusals();
  const stdout = OwnStdout.take().writer();
  return await runBalancer({
    log,
    makeControl: (env) => {
      const accessOutput = new AccessOutput({ stderr: Deno.stderr, stdout, host: env.hello.node, log });
      return new Control({
        ...env,
        build,
        lookUp: (name, signal) => lookUp(name, SYSTEM_LOOKUP, signal),
        env: (name) => Deno.env.get(name),
        workerEntry: new URL("../runtime/worker_io.ts", import.meta.url),
        cores: navigator.hardwareConcurrency,
        makeAdmin: (facts, access) => createAdminApp(facts, access, refusals),
        accessLog: new Sink(accessOutput),
        accessOutput,
        log,
        setUpLog,
      });
    },
  });
}
