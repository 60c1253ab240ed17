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
  await tracked.close();
  assertEquals(tracked.answer(track).ok, null);
});

Deno.test("Tracked() a program is good while its exit code is 0, and is killed at its time-out", async () => {
  const track = (script: string) =>
    ({
      kind: "exec",
      command: ["/bin/sh", "-c", script],
      intervalMs: 50,
      timeoutMs: 500,
      rise: 1,
      fall: 1,
      initial: "unknown",
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
  await tracked.close();
});

Deno.test("Tracked() a program is believed after so many answers in a row, and may be bad before the first", async () => {
  const directory = await Deno.makeTempDir();
  const runs = `${directory}/runs`;
  const script = `echo >> ${runs}; test -e ${directory}/good`;
  const track = {
    kind: "exec",
    command: ["/bin/sh", "-c", script],
    intervalMs: 20,
    timeoutMs: 500,
    rise: 3,
    fall: 2,
    initial: "bad",
    weight: null,
  } as const;
  let change = Promise.withResolvers<void>();
  const tracked = new Tracked(spawn, () => change.resolve());
  const next = async () => {
    await change.promise;
    change = Promise.withResolvers();
    return tracked.answer(track);
  };
  const count = async () => (await Deno.readTextFile(runs)).length;
  await Deno.writeTextFile(`${directory}/good`, "");
  tracked.update([track]);
  assertEquals(tracked.answer(track).ok, false);
  assertEquals(await next(), { ok: true, reason: "" });
  assert(await count() >= 3);
  const before = await count();
  await Deno.remove(`${directory}/good`);
  assertEquals(await next(), { ok: false, reason: "exit 1" });
  assert(await count() >= before + 2);
  await tracked.close();
  await Deno.remove(directory, { recursive: true });
});

Deno.test("Tracked() a number is what the file holds, 0 without it, and 0 with a word when it holds none", async () => {
  const path = await Deno.makeTempFile();
  const track = { kind: "number", name: path, weight: 2 } as const;
  let change = Promise.withResolvers<void>();
  const tracked = new Tracked(spawn, () => change.resolve());
  const next = async () => {
    await change.promise;
    change = Promise.withResolvers();
    return tracked.answer(track);
  };
  await Deno.writeTextFile(path, "-12\n");
  tracked.update([track]);
  assertEquals(await next(), { ok: true, reason: "", value: -12 });
  await Deno.writeTextFile(path, "twelve");
  assertEquals(await next(), { ok: true, reason: "holds no number: twelve", value: 0 });
  await Deno.remove(path);
  assertEquals(await next(), { ok: true, reason: "", value: 0 });
  await tracked.close();
});

Deno.test("Tracked() a process is good while enough of its name run, and no more than are wanted", async () => {
  const directory = await Deno.makeTempDir();
  const program = `${directory}/tandem (test)`;
  await Deno.copyFile("/bin/sleep", program);
  const track = (minRunning: number, maxRunning: number | null) =>
    ({
      kind: "process",
      name: "tandem (test)",
      minRunning,
      maxRunning,
      rise: 1,
      fall: 1,
      weight: null,
    }) as const;
  const [one, two, none] = [track(1, null), track(2, null), track(0, 0)];
  const children = [1, 2].map(() => new Deno.Command(program, { args: ["60"], stdin: "null" }).spawn());
  let wanted = (): boolean => false;
  let reached = Promise.withResolvers<void>();
  const tracked: Tracked = new Tracked(spawn, () => wanted() && reached.resolve());
  const until = async (...good: readonly boolean[]) => {
    reached = Promise.withResolvers();
    wanted = () => [one, two, none].every((each, at) => tracked.answer(each).ok === good[at]);
    if (!wanted()) await reached.promise;
  };
  tracked.update([one, two, none]);
  await until(true, true, false);
  assertEquals(tracked.answer(none).reason, "2 running, 0 to 0 wanted");
  children[0]!.kill("SIGKILL");
  await children[0]!.status;
  await until(true, false, false);
  assertEquals(tracked.answer(two).reason, "1 running, at least 2 wanted");
  children[1]!.kill("SIGKILL");
  await children[1]!.status;
  await until(false, false, true);
  await tracked.close();
  await Deno.remove(directory, { recursive: true });
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

Deno.test("Tracked() knows what the keeper before knew, until it has asked itself", async () => {
  const track = { kind: "file", name: await Deno.makeTempFile(), weight: null } as const;
  await Deno.writeTextFile(track.name, "0");
  const change = Promise.withResolvers<void>();
  const carried = JSON.parse(JSON.stringify([{ track, answer: { ok: false, reason: "moving" } }]));
  const tracked = new Tracked(spawn, () => change.resolve(), carried);
  tracked.update([track]);
  assertEquals(tracked.answer(track), { ok: false, reason: "moving" });
  await change.promise;
  assertEquals(tracked.carried(), [{ track, answer: { ok: true, reason: "" } }]);
  tracked.close();
  await Deno.remove(track.name);
});
