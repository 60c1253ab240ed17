import { Disk } from "../../mod/files/disk_io.ts";
import { assert, assertEquals } from "../assert.ts";
import { labTest } from "../lab/tools.ts";

const disk = new Disk();

async function inDirectory(run: (directory: string) => void | Promise<void>): Promise<void> {
  const directory = await Deno.realPath(await Deno.makeTempDir({ prefix: "tandem-disk-" }));
  try {
    await run(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("Disk tells what is at a path, through links", async () => {
  await inDirectory(async (directory) => {
    await Deno.writeTextFile(`${directory}/a`, "0123456789");
    const date = new Date(1_700_000_000_123);
    await Deno.utime(`${directory}/a`, date, date);
    await Deno.symlink("a", `${directory}/link`);
    const status = disk.status(`${directory}/link`);
    assert(typeof status !== "string");
    assertEquals([status.kind, status.size, status.modified], ["file", 10, 1_700_000_000_123]);
    const link = disk.ownStatus(`${directory}/link`);
    assertEquals([typeof link === "string" ? link : link.kind, disk.ownStatus(`${directory}/a`)], [
      "special",
      status,
    ]);
    assertEquals(disk.realPath(`${directory}/link`), { path: `${directory}/a` });
    const file = disk.open(`${directory}/a`);
    assert(typeof file !== "string");
    assertEquals(file.status(), status, "an open file and its path are told alike");
    const into = new Uint8Array(4);
    assertEquals([file.read(into, 8), into[0], into[1]], [2, 0x38, 0x39]);
    assertEquals(file.read(into, 10), 0);
    file.close();
    await Deno.mkdir(`${directory}/sub`);
    const list = disk.list(directory);
    assert(typeof list !== "string");
    const shown = list.map((each) => `${each.name}${each.directory ? "/" : ""}`).sort();
    assertEquals(shown, ["a", "link", "sub/"]);
  });
});

Deno.test("Disk failures are values: nothing there, in whatever way", async () => {
  await inDirectory(async (directory) => {
    await Deno.writeTextFile(`${directory}/a`, "");
    await Deno.symlink("loop", `${directory}/loop`);
    for (const name of ["nothing", "a/b", "loop", "x".repeat(300), "x/".repeat(3000)]) {
      const path = `${directory}/${name}`;
      assertEquals(
        [disk.status(path), disk.realPath(path), disk.open(path), disk.list(path)],
        Array(4).fill("missing"),
        name,
      );
    }
  });
});

labTest("Disk opens a pipe without waiting for whoever writes to it", ["mkfifo"], async () => {
  await inDirectory(async (directory) => {
    await new Deno.Command("mkfifo", { args: [`${directory}/fifo`] }).output();
    const status = disk.status(`${directory}/fifo`);
    assertEquals(typeof status === "string" ? status : status.kind, "special");
    const file = disk.open(`${directory}/fifo`);
    assert(typeof file !== "string");
    file.close();
  });
});
