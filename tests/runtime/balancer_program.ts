/** The real balancer process around a stand-in control, whose configuration says how it behaves. */
import "../../mod/runtime/console_io.ts";
import { logger } from "../../mod/observe/log.ts";
import { setUpLog } from "../../mod/observe/log_io.ts";
import { type ControlEnv, runBalancer } from "../../mod/runtime/balancer_io.ts";

setUpLog({ level: "debug", format: "text" });
console.log("a library says hello");
/** How often each was asked for; told as the numbers of every pool. */
const asked = { health: 0, counters: 0 };
await runBalancer({
  log: logger("balancer"),
  makeControl: ({ hello, execProbe, onHealth }: ControlEnv) => ({
    async configure(text) {
      if (text.startsWith("bad")) return { problems: ["Cannot listen"] };
      if (text.startsWith("permissions")) {
        const states = (["run", "write"] as const).map((name) => Deno.permissions.querySync({ name }).state);
        return { problems: states };
      }
      if (text.startsWith("probe")) {
        const target = { pool: "app", server: "one", host: "127.0.0.1", port: 80 };
        const result = await execProbe({ ...target, check: {} as never }, new AbortController().signal);
        return { problems: [`${hello.node}: ${result.ok} ${result.reason}`] };
      }
      if (text.startsWith("changed")) { for (let server = 0; server < 3; server++) onHealth(); }
      return { problems: [] };
    },
    change: (live) => {
      console.log(`changed ${Object.keys(live.pools)}`);
      return Promise.resolve({ problems: [] });
    },
    answer: ({ ask }) => ({ answered: ask }),
    place: () => {},
    receiveFiles: () => {},
    receive: () => {},
    carry: () => "{}",
    issue: () => {},
    arrived: () => {},
    drain(deadlineMs) {
      console.log(`control drains ${deadlineMs}`);
      return Promise.resolve();
    },
    drainMs: () => 4321,
    shares: () => [],
    health() {
      asked.health++;
      const numbers = { healthy: asked.health, servers: asked.counters };
      return Array.from({ length: 40 }, (_, at) => ({ pool: `p${at}`, ...numbers }));
    },
    counters() {
      asked.counters++;
      return { connections: 1, accepted: 2, requests: 3, errors: 4, workersReplaced: 5 };
    },
  }),
});
