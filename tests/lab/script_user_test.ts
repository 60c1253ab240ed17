/** Programs of the configuration have the rights of `scriptUser` and no more, whatever the node was started with. */
import { assertEquals } from "../assert.ts";
import { LAB_NEEDS } from "./netns.ts";
import { Pair, pause } from "./pair.ts";
import { labTest } from "./tools.ts";

const NOBODY = 65534;
const RICH = [
  "--groups",
  "4,27",
  "--inh-caps",
  "+net_raw,+net_admin",
  "--ambient-caps",
  "+net_raw,+net_admin",
];
const NONE = "0000000000000000";

labTest(
  "scriptUser() a program told of a transition is that user, in one group, without any capability",
  [...LAB_NEEDS, "curl", "setpriv"],
  async () => {
    const directory = await Deno.makeTempDir();
    const [program, out] = [`${directory}/told`, `${directory}/out`];
    await Deno.mkdir(out);
    await Deno.chown(out, NOBODY, NOBODY);
    await Deno.chmod(directory, 0o755);
    const facts = "sed -n -E 's/^(Uid|Gid|Groups|CapPrm|CapEff|CapAmb):[[:space:]]*(.*)$/\\1 \\2/p'";
    await Deno.writeTextFile(
      program,
      `#!/bin/sh\n${facts} /proc/self/status > ${out}/part && mv ${out}/part ${out}/$3\n`,
      { mode: 0o755 },
    );
    await using pair = await Pair.start(`      onTransition: [${program}]\n  scriptUser: nobody:daemon`);
    pair.signal("lb2", "SIGTERM");
    await pair.ended("lb2");
    await Deno.remove(`${out}/backup`);
    pair.run("lb2", "setpriv", ...RICH);
    const told = await read(`${out}/backup`);
    assertEquals(told.map((line) => line.trim().split(/\s+/)), [
      ["Uid", ...Array(4).fill(String(NOBODY))],
      ["Gid", "1", "1", "1", "1"],
      ["Groups"],
      ["CapPrm", NONE],
      ["CapEff", NONE],
      ["CapAmb", NONE],
    ]);
    await Deno.remove(directory, { recursive: true });
  },
);

async function read(path: string): Promise<string[]> {
  for (;;) {
    const text = await Deno.readTextFile(path).catch(() => null);
    if (text !== null) return text.trimEnd().split("\n");
    await pause(50);
  }
}
