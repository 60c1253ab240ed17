import { assert, assertEquals } from "../assert.ts";
import { Lab, LAB_NEEDS } from "./netns.ts";
import { labTest } from "./tools.ts";

/** True when the first node reaches the other, as its neighbour table shows after a datagram. */
async function reaches(lab: Lab, from: string, to: string): Promise<boolean> {
  await lab.run(from, "ip", "neighbour", "flush", "dev", "eth0");
  const probe = `Deno.connect({ hostname: "${lab.address(to)}", port: 9 }).catch((error) => ` +
    `Deno.exit(error.name === "ConnectionRefused" ? 0 : 1))`;
  const limited = `setTimeout(() => Deno.exit(2), 2000); ${probe}`;
  return (await lab.run(from, Deno.execPath(), "eval", limited)).success;
}

labTest("Lab() joins nodes; cables can be cut, healed and silently parted", LAB_NEEDS, async () => {
  await using lab = await Lab.create("a", "b");
  assert(await reaches(lab, "a", "b"));
  await lab.cut("b");
  assert(!await reaches(lab, "a", "b"));
  assert((await lab.ip("b", "link", "show", "eth0")).includes("NO-CARRIER"));
  await lab.heal("b");
  assert(await reaches(lab, "a", "b"));
  await lab.part("b", true);
  assert(!(await lab.ip("b", "link", "show", "eth0")).includes("NO-CARRIER"));
  assert(!await reaches(lab, "a", "b"));
  await lab.part("b", false);
  assert(await reaches(lab, "a", "b"));
});

labTest("Lab() leaves no namespace and no process behind", LAB_NEEDS, async () => {
  const lab = await Lab.create("a");
  const namespaces = async () =>
    new TextDecoder().decode((await new Deno.Command("ip", { args: ["netns"] }).output()).stdout);
  assert((await namespaces()).includes(lab.namespace("a")));
  const child = lab.deno("a", "idle.ts");
  await lab[Symbol.asyncDispose]();
  assertEquals((await child.status).signal, "SIGKILL");
  await child.stdout.cancel();
  await child.stdin.abort();
  assert(!(await namespaces()).includes(lab.prefix));
});
