/** What is tracked beside keepalived, which knows nothing of health: faults and weights move the address, both ways. */
import { assertEquals } from "../assert.ts";
import { LAB_NEEDS } from "./netns.ts";
import { type Router, Speakers } from "./speakers.ts";
import { labTest } from "./tools.ts";

const ROUTERS: readonly Router[] = [
  { id: 91, version: 3, intervalMs: 100, addresses: ["10.77.0.191/24"] },
];

labTest(
  "VRRP with keepalived: a fault by a program, a process and a number give the address away",
  [...LAB_NEEDS, "keepalived", "pgrep"],
  async () => {
    await using speakers = await Speakers.start("lb1", "ka1");
    const { directory } = speakers;
    const held = async (by: string, other: string) => {
      await speakers.holds(by, ROUTERS, true);
      await speakers.holds(other, ROUTERS, false);
    };
    const why = (text: string) =>
      speakers.until("lb1", ({ state, why }) => state === "fault" && why.includes(text));
    // Whoever runs these tests too sees the same processes.
    const name = `served-${Deno.pid}`;
    Deno.copyFileSync("/bin/sleep", `${directory}/${name}`);
    const quiet = { stdin: "null", stdout: "null", stderr: "null" } as const;
    const serve = () => new Deno.Command(`${directory}/${name}`, { args: ["600"], ...quiet }).spawn();
    let served = serve();
    speakers.write(
      "lb1",
      ROUTERS,
      { priority: 200 },
      `track: [{ exec: [/usr/bin/test, "!", "-e", "${directory}/ill"], interval: 100ms, fall: 2, rise: 2, fault: true }, ` +
        `{ process: ${name}, fault: true }, { number: ${directory}/bonus }]`,
    );
    speakers.tandem("lb1");
    await held("lb1", "ka1");
    speakers.keepalived("ka1", ROUTERS, { priority: 100 });

    Deno.writeTextFileSync(`${directory}/bonus`, "-150\n");
    await held("ka1", "lb1");
    Deno.writeTextFileSync(`${directory}/bonus`, "-50\n");
    await held("lb1", "ka1");

    Deno.writeTextFileSync(`${directory}/ill`, "");
    await held("ka1", "lb1");
    await why("exec /usr/bin/test: exit 1");
    served.kill("SIGKILL");
    await served.status;
    await why(`process ${name}: 0 running, at least 1 wanted`);
    Deno.removeSync(`${directory}/ill`);
    served = serve();
    // Not active at once: it has moved the address often enough.
    await speakers.until(
      "lb1",
      ({ state, waiting }) => state === "backup" && waiting?.startsWith("held down") === true,
    );
    served.kill("SIGKILL");
    await served.status;
  },
);

labTest(
  "VRRP startupDelay: a node that starts is in fault for so long, and takes part then",
  LAB_NEEDS,
  async () => {
    await using speakers = await Speakers.start("lb1");
    speakers.write("lb1", ROUTERS, { priority: 200 });
    const file = `${speakers.directory}/lb1.yaml`;
    Deno.writeTextFileSync(
      file,
      Deno.readTextFileSync(file).replace("vrrp:\n", "vrrp:\n  startupDelay: 2s\n"),
    );
    speakers.tandem("lb1");
    const [waiting] = await speakers.until("lb1", ({ state }) => state !== "initialize");
    assertEquals([waiting!.state, waiting!.why], [
      "fault",
      "startup delay: takes part 2000 ms after the start of this node",
    ]);
    await speakers.holds("lb1", ROUTERS, true);
  },
);
