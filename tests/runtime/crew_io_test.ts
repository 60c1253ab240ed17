import { Crew } from "../../mod/runtime/crew_io.ts";
import type { SharedMemory } from "../../mod/base/shared_memory.ts";
import type { Snapshot } from "../../mod/config/snapshot.ts";
import type { Log } from "../../mod/observe/log.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";

interface Bench {
  readonly crew: Crew;
  readonly logged: string[];
  readonly lines: string[];
  readonly reclaimed: number[];
  /** The first worker that was said to hang. */
  readonly hung: Promise<number>;
  /** The next line of the access log that has these words. */
  line(words: string): Promise<void>;
}

function snapshot(generation: number, behaviour: string): Snapshot {
  return {
    generation,
    node: behaviour,
    listeners: [],
    pools: [],
    log: { level: "info", format: "text", access: "off" },
  };
}

async function withCrew(use: (bench: Bench) => Promise<void>): Promise<void> {
  const logged: string[] = [];
  const lines: string[] = [];
  const reclaimed: number[] = [];
  const hung = Promise.withResolvers<number>();
  let wake = () => {};
  const say = (message: string, fields = {}) => void logged.push(`${message} ${JSON.stringify(fields)}`);
  const log: Log = { debug: say, info: say, warning: say, error: say };
  const crew = new Crew({
    entry: new URL("./standin_worker.ts", import.meta.url),
    count: 2,
    // The stand-in does not look at it.
    memory: {} as SharedMemory,
    log,
    onLog: (batch, done) => {
      lines.push(new TextDecoder().decode(batch).trim());
      done();
      wake();
    },
    reclaim: (worker) => void reclaimed.push(worker),
    onHung: hung.resolve,
  });
  let read = 0;
  const line = async (words: string) => {
    while (true) {
      while (read < lines.length) if (lines[read++]?.includes(words)) return;
      await new Promise<void>((resolve) => wake = resolve);
    }
  };
  crew.start();
  try {
    await use({ crew, logged, lines, reclaimed, hung: hung.promise, line });
  } finally {
    crew.close();
  }
}

Deno.test("Crew() apply() resolves when every worker has the snapshot", async () => {
  await withCrew(async ({ crew, lines }) => {
    assertEquals(await crew.apply(snapshot(1, "well")), { errors: [] });
    assertEquals(lines.filter((line) => line.includes("applied 1")).length, 2);
    assertEquals(await crew.apply(snapshot(2, "well")), { errors: [] });
    assertEquals(crew.replaced, 0);
  });
});

Deno.test("Crew() purge() reaches every worker", async () => {
  await withCrew(async ({ crew }) => {
    await crew.apply(snapshot(1, "well"));
    assertEquals(await crew.purge({ path: "/a*" }), 3);
  });
});

Deno.test("Crew() apply() tells what one worker could not do", async () => {
  await withCrew(async ({ crew }) => {
    assertEquals(await crew.apply(snapshot(1, "refuse")), { errors: ["cannot bind"] });
    assertEquals(await crew.apply(snapshot(2, "well")), { errors: [] });
  });
});

for (const behaviour of ["throw later", "reject later"]) {
  Deno.test(`Crew() replaces a worker that dies (${behaviour}) and gives back what it held`, async () => {
    await withCrew(async ({ crew, logged, reclaimed, line }) => {
      await crew.apply(snapshot(1, behaviour));
      await line("worker 0 is here");
      await line("worker 0 is here");
      assertEquals(reclaimed[0], 0);
      assert(crew.replaced >= 1);
      assertStringIncludes(logged.join("\n"), "a bug");
      // The next snapshot reaches the successor.
      assertEquals(await crew.apply(snapshot(2, "well")), { errors: [] });
    });
  });
}

Deno.test("Crew() what a worker gives up is gone in that worker alone, and nobody has more than is needed", async () => {
  await withCrew(async ({ crew, lines, line }) => {
    await crew.apply(snapshot(1, "give up"));
    const rights = "is here, ffi granted, run prompt, write prompt";
    await line(`worker 0 ${rights}`);
    await line(`worker 0 ${rights}`);
    assert(lines.some((each) => each.includes(`worker 1 ${rights}`)), lines.join("\n"));
  });
});

Deno.test("Crew() apply() gives up a snapshot of which a worker dies again and again", async () => {
  await withCrew(async ({ crew }) => {
    const { errors } = await crew.apply(snapshot(1, "always throw"));
    assertEquals(errors.length, 1);
    assertStringIncludes(errors[0] ?? "", "data worker 1 ended 2 times: it threw");
    assertEquals(await crew.apply(snapshot(2, "well")), { errors: [] });
  });
});

Deno.test("Crew() tells of a worker that hangs, as nothing could end its thread", async () => {
  await withCrew(async ({ crew, hung, reclaimed }) => {
    await crew.apply(snapshot(1, "well"));
    const applied = crew.apply(snapshot(2, "hang"));
    assertEquals(await hung, 1);
    assertEquals(reclaimed, []);
    assertEquals(await applied, { errors: [] });
  });
});

Deno.test("Crew() answers every batch of the log, and logs what a worker reports", async () => {
  await withCrew(async ({ crew, logged }) => {
    await crew.apply(snapshot(1, "well"));
    // The answers were sent before this snapshot, and an error that is only reported costs no worker.
    await crew.apply(snapshot(2, "well"));
    assertEquals(logged.filter((line) => line.includes("two batches are written")).length, 2);
    assertEquals(crew.replaced, 0);
  });
});

Deno.test("Crew() drain() waits for every worker, and not for one that is no more", async () => {
  await withCrew(async ({ crew, line }) => {
    await crew.apply(snapshot(1, "throw later"));
    await line("worker 0 is here");
    await crew.drain(50);
  });
});

Deno.test("Crew() gives every worker the same keys for tickets, and each key its turn", async () => {
  await withCrew(async ({ crew, lines, line }) => {
    const told = async (generation: number) => {
      await crew.apply(snapshot(generation, "tell keys"));
      await line(`applied ${generation}`);
      await line(`applied ${generation}`);
      const [one, other] = lines.filter((line) => line.includes(" has ")).slice(-2)
        .map((line) => line.split(" has ")[1]!.split(" "));
      assertEquals(one, other);
      return one!;
    };
    const before = await told(1);
    crew.turnTicketKeys();
    const after = await told(2);
    assertEquals(after.slice(1), before.slice(0, 2));
    assert(!before.includes(after[0]!));
  });
});
