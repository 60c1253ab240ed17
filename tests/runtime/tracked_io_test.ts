import { Tracked } from "../../mod/runtime/tracked_io.ts";
import { Transitions } from "../../mod/runtime/transitions_io.ts";
import { execSpawn, Spawner } from "../../mod/runtime/spawn_io.ts";
import type { Log } from "../../mod/observe/log.ts";
import { assert, assertEquals } from "../assert.ts";

const spawner = new Spawner();
spawner.allowScripts(["/bin/sh", "/bin/false"]);
const spawn = execSpawn(spawner);

Deno.test("Tracked() a file is a fault while it exists and does not hold 0", async () => {
  const path = await Deno.makeTempFile();
  const track = { kind: "file", name: path, weight: null } as const;
  let change = Promise.withResolvers<void>();
  const tracked = new Tracked(spawn, () => change.resolve());
  assertEquals(tracked.answer(track).ok, null);
  const next = async () => {
    await change.promise;
    change = Promise.withResolvers();
    return tracked.answer(track);
  };
  await Deno.writeTextFile(path, "moving\nhouse");
  tracked.update([track]);
  assertEquals(await next(), { ok: false, reason: "moving" });
  await Deno.writeTextFile(path, "0\n");
  assertEquals((await next()).ok, true);
  await Deno.remove(path);
  tracked.close();
  assertEquals(tracked.answer(track).ok, null);
});

Deno.test("Tracked() a program is good while its exit code is 0, and is killed at its time-out", async () => {
  const track = (script: string) =>
    ({
      kind: "exec",
      command: ["/bin/sh", "-c", script],
      intervalMs: 50,
      timeoutMs: 500,
      weight: null,
    }) as const;
  const [good, bad, slow] = [track("exit 0"), track("echo broken; exit 3"), track("exec sleep 60")];
  const changed = Promise.withResolvers<void>();
  const tracked: Tracked = new Tracked(spawn, () => {
    if ([good, bad, slow].every((one) => tracked.answer(one).ok !== null)) changed.resolve();
  });
  tracked.update([good, bad, slow]);
  await changed.promise;
  assertEquals(tracked.answer(good), { ok: true, reason: "" });
  assertEquals(tracked.answer(bad), { ok: false, reason: "exit 3: broken" });
  assert(tracked.answer(slow).reason.includes("no exit within 500 ms"));
  tracked.close();
});

Deno.test("Transitions() programs are run one at a time, in order, with arguments and environment", async () => {
  const directory = await Deno.makeTempDir();
  const program = `${directory}/notify`;
  const script = `#!/bin/sh\necho "begin $*" >> ${directory}/told; echo "$TANDEM_TO" >> ${directory}/told\n`;
  await Deno.writeTextFile(program, script, { mode: 0o755 });
  spawner.allowScripts(["/bin/sh", "/bin/false", program]);
  const warnings: string[] = [];
  const silent = () => {};
  const log: Log = {
    debug: silent,
    info: silent,
    error: silent,
    warning: (text) => void warnings.push(text),
  };
  const transitions = new Transitions(spawn, log);
  transitions.tell([program], { instance: "edge", from: "backup", to: "active", reason: "it was silent" });
  transitions.tell(["/bin/false", program], {
    instance: "edge",
    from: "active",
    to: "fault",
    reason: "no link",
  });
  await transitions.close(10_000);
  assertEquals((await Deno.readTextFile(`${directory}/told`)).trim().split("\n"), [
    "begin edge backup active it was silent",
    "active",
    "begin edge active fault no link",
    "fault",
  ]);
  assertEquals(warnings, ["a program told of a transition failed"]);
  await Deno.remove(directory, { recursive: true });
});
