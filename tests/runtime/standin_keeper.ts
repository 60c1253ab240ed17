/** The real keeper around the stand-in balancer: arguments are the file, the socket, and whether it takes over. */
import { logger } from "../../mod/observe/log.ts";
import { exitLogged, setUpLog } from "../../mod/observe/log_io.ts";
import { runKeeper } from "../../mod/runtime/keeper_io.ts";
import { Predecessor } from "../../mod/runtime/predecessor_io.ts";
import { ServiceManager } from "../../mod/runtime/sdnotify_io.ts";
import { ownCommand } from "../../mod/runtime/spawn_io.ts";

setUpLog({ level: "debug", format: "text" });
const [file = "", socketPath = "", takeOver] = Deno.args;
const code = await runKeeper({
  version: "0",
  node: "n1",
  context: null,
  file,
  read: () => Deno.readTextFile(file),
  check: (text) =>
    Promise.resolve(
      text.includes("bad") ? { problems: ["first problem", "second problem"] } : {
        exec: new Map([["app", { command: ["/bin/echo", "fine"], timeoutMs: 5000 }]]),
        socketPath: text.includes("moved") ? `${socketPath}.moved` : socketPath,
        drainMs: text.includes("short") ? 10 : 1000,
      },
    ),
  plan: () => Promise.resolve({ problems: [], changes: [] }),
  makeApi: () => ({ fetch: () => new Response("no API here", { status: 404 }) }),
  functionProgram: () => ({ command: "/bin/false", args: [] }),
  balancer: ownCommand(new URL("./standin_balancer.ts", import.meta.url), ["--quiet", "--no-prompt"], []),
  successor: ownCommand(new URL(import.meta.url), ["--quiet", "--allow-all"], [
    file,
    socketPath,
    "take over",
  ]),
  predecessor: takeOver === undefined ? null : new Predecessor("0"),
  service: ServiceManager.find(logger("keeper")),
  log: logger("keeper"),
});
await exitLogged(code);
