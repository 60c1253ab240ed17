import { fileStamp } from "../../mod/base/file_stamp_io.ts";
import { FileWatch } from "../../mod/runtime/file_watch_io.ts";
import { assertEquals } from "../assert.ts";

interface Bench {
  readonly files: readonly [string, string];
  /** Reads the files, as they are now. */
  read(...files: string[]): Promise<void>;
  /** One look; so many changes have been told of, ever. */
  look(told: number): Promise<void>;
  write(file: string, text: string): void;
  /** Whether a change is dealt with when it is told of. */
  heeds: boolean;
}

async function withFiles(use: (bench: Bench) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "tandem-watch-" });
  const known = new Map<string, string>();
  let changes = 0;
  const onChange = () => (changes++, bench.heeds);
  const watch = new FileWatch({ files: () => known, onChange });
  const bench: Bench = {
    files: [`${directory}/a`, `${directory}/b`],
    async read(...files) {
      known.clear();
      for (const file of files) known.set(file, await fileStamp(file));
    },
    async look(told) {
      await watch.look();
      assertEquals(changes, told);
    },
    write: Deno.writeTextFileSync,
    heeds: true,
  };
  try {
    Deno.writeTextFileSync(bench.files[0], "1");
    await bench.read(...bench.files);
    await use(bench);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("FileWatch tells once of what has changed, when it is left alone", async () => {
  await withFiles(async ({ files, read, look, write }) => {
    await look(0);
    await look(0);
    write(files[0], "22");
    await look(0);
    write(files[1], "new");
    await look(0);
    await look(1);
    await look(1);
    await read(files[1]);
    await look(1);
    Deno.removeSync(files[0]);
    await look(1);
    await look(1);
    Deno.removeSync(files[1]);
    await look(1);
    await look(2);
  });
});

Deno.test("FileWatch tells of what has changed after it was read, whenever that was", async () => {
  await withFiles(async ({ files, read, look, write }) => {
    // Before the first look.
    write(files[0], "22");
    await look(0);
    await look(1);
    // Between reading and telling, and again while others become the files.
    await read(files[0]);
    write(files[0], "333");
    await look(1);
    await look(2);
    await read(...files);
    write(files[1], "new");
    await look(2);
    await look(3);
    await read(...files);
    await look(3);
  });
});

Deno.test("FileWatch tells again of what nobody could deal with", async () => {
  await withFiles(async (bench) => {
    bench.write(bench.files[0], "22");
    bench.heeds = false;
    await bench.look(0);
    await bench.look(1);
    await bench.look(2);
    bench.heeds = true;
    await bench.look(3);
    await bench.look(3);
  });
});
