/** The real keeper around the stand-in balancer: arguments are the file and the socket. */
import { logger } from "../../mod/observe/log.ts";
import { exitLogged, setUpLog } from "../../mod/observe/log_io.ts";
import { runKeeper } from "../../mod/runtime/keeper_io.ts";
import { ownCommand } from "../../mod/runtime/spawn_io.ts";

setUpLog({ level: "debug", format: "text" });
const [file = "", socketPath = ""] = Deno.args;
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
  balancer: ownCommand(new URL("./standin_balancer.ts", import.meta.url), ["--quiet", "--no-prompt"], []),
  log: logger("keeper"),
});
await exitLogged(code);
