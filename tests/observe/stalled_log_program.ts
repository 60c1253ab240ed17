/** Logs far more than a pipe holds, says so on standard output at once, and ends when its input does. */
import { logger } from "../../mod/observe/log.ts";
import { exitLogged, flushLog, setUpLog } from "../../mod/observe/log_io.ts";

setUpLog({ level: "info", format: "text" });
const log = logger("test");
for (let number = 0; number < 20_000; number++) log.info(`line ${number}`, { padding: "x".repeat(80) });
console.log("alive");
await Deno.stdin.read(new Uint8Array(1));
await flushLog(60_000);
log.info("the last words");
await exitLogged(3);
