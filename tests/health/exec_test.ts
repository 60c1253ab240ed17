/** The exec check with real processes, started as the keeper starts them. */
import { assert, assertEquals, assertLess, assertMatch } from "../assert.ts";
import { EXEC_OUTPUT_BYTES, type ExecCheck, runExecCheck } from "../../mod/health/exec_io.ts";
import type { ProbeResult } from "../../mod/health/rise_fall.ts";
import { execSpawn, Spawner } from "../../mod/runtime/spawn_io.ts";

const never = new AbortController().signal;

function run(command: readonly string[], timeoutMs = 20_000, signal = never): Promise<ProbeResult> {
  const spawner = new Spawner();
  spawner.allowScripts(["/bin/sh", "/bin/true", "/usr/bin/env", "/nonexistent/check"]);
  const check: ExecCheck = {
    command,
    timeoutMs,
    pool: "app",
    server: "s1",
    host: "fd00::1",
    port: 8080,
  };
  return runExecCheck(check, execSpawn(spawner), signal);
}

function shell(script: string, timeoutMs?: number, signal?: AbortSignal): Promise<ProbeResult> {
  return run(["/bin/sh", "-c", script], timeoutMs, signal);
}

Deno.test("runExecCheck() exit 0 is healthy, any other is not", async () => {
  const good = await run(["/bin/true"]);
  assertEquals([good.ok, good.reason], [true, "exit 0"]);
  const bad = await shell("exit 3");
  assertEquals([bad.ok, bad.reason], [false, "exit 3"]);
});

Deno.test("runExecCheck() the reason holds the first line of errors, else of output", async () => {
  assertEquals((await shell("echo; echo fine; echo more")).reason, "exit 0: fine");
  assertEquals((await shell("echo out; echo replica lags >&2; exit 1")).reason, "exit 1: replica lags");
});

Deno.test("runExecCheck() the reason is bounded and holds no control characters", async () => {
  const { reason } = await shell("printf 'a\\033[31m\\r%0500d' 1; exit 1");
  assertMatch(reason, /^exit 1: a\?\[31m\?0{100}/);
  assertLess(reason.length, 220);
});

Deno.test("runExecCheck() the environment holds what the check is about, and nothing of ours", async () => {
  const values = 'echo "$TANDEM_POOL $TANDEM_SERVER $TANDEM_ADDRESS $TANDEM_PORT"';
  assertEquals((await shell(values)).reason, "exit 0: app s1 fd00::1 8080");
  const names = "tr '\\0' '\\n' < /proc/$$/environ | cut -d= -f1 | sort | tr '\\n' ' '";
  const expected = "exit 0: PATH TANDEM_ADDRESS TANDEM_POOL TANDEM_PORT TANDEM_SERVER";
  assertEquals((await shell(names)).reason, expected);
});

Deno.test("runExecCheck() arguments reach the command as they are, without a shell", async () => {
  const result = await run(["/bin/sh", "-c", 'echo "$1"', "sh", "$(id); `id` * 'x"]);
  assertEquals(result.reason, "exit 0: $(id); `id` * 'x");
});

Deno.test("runExecCheck() a command that does not end is killed at the time limit", async () => {
  const result = await shell("exec sleep 60", 100);
  assertEquals([result.ok, result.reason], [false, "no exit within 100 ms, killed"]);
  assertLess(result.latencyMs, 30_000);
});

Deno.test("runExecCheck() a grandchild that keeps the output open does not hold the check", async () => {
  const result = await shell("sleep 5 & echo started");
  assertEquals([result.ok, result.reason], [true, "exit 0: started"]);
  assertLess(result.latencyMs, 4000);
});

Deno.test("runExecCheck() more output than is kept blocks nobody", async () => {
  const size = EXEC_OUTPUT_BYTES * 100;
  const result = await shell(`head -c ${size} /dev/zero; head -c ${size} /dev/zero >&2; exit 4`);
  assert(!result.ok);
  assertMatch(result.reason, /^exit 4: \?+$/);
});

Deno.test("runExecCheck() cancelled under way kills the process, cancelled before starts none", async () => {
  const abort = new AbortController();
  const result = shell("exec sleep 60", 30_000, abort.signal);
  abort.abort();
  assertEquals((await result).reason, "the probe was cancelled");
  const spawn = () => {
    throw new Error("must not be called");
  };
  const check = { command: ["/bin/true"], timeoutMs: 1000, pool: "", server: "", host: "", port: 0 };
  assertEquals((await runExecCheck(check, spawn, abort.signal)).reason, "the probe was cancelled");
});

Deno.test("runExecCheck() a process killed by someone else is not healthy", async () => {
  assertEquals((await shell("kill -TERM $$")).reason, "killed by SIGTERM");
});

Deno.test("runExecCheck() a command that is missing or not absolute is a reason, not an exception", async () => {
  const missing = await run(["/nonexistent/check"]);
  assert(!missing.ok);
  assertMatch(missing.reason, /^cannot start \/nonexistent\/check: /);
  assert((await run([`/${"long/".repeat(1000)}`])).reason.length <= 1000);
  assertEquals((await run(["true"])).reason, 'the command must be an absolute path: it is "true"');
  assertEquals((await run([])).reason, 'the command must be an absolute path: it is ""');
});
