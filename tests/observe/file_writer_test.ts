import { FileWriter } from "../../mod/observe/file_writer_io.ts";
import { assertEquals, assertRejects, assertThrows } from "../assert.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

async function inDirectory(use: (path: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await use(`${directory}/access.log`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("FileWriter makes a file that its group may read, and appends to one that is there", async () => {
  await inDirectory(async (path) => {
    {
      using writer = new FileWriter(path);
      assertEquals(await writer.write(bytes("one\n")), 4);
    }
    using writer = new FileWriter(path);
    await writer.write(bytes("two\n"));
    assertEquals(await Deno.readTextFile(path), "one\ntwo\n");
    assertEquals((await Deno.stat(path)).mode! & 0o027, 0, "others may not read it");
  });
});

Deno.test("FileWriter goes on in a new file when somebody has renamed or removed its own", async () => {
  await inDirectory(async (path) => {
    let now = 0;
    using writer = new FileWriter(path, null, () => now);
    await writer.write(bytes("one\n"));
    await Deno.rename(path, `${path}.old`);
    now += 1000;
    await writer.write(bytes("two\n"));
    await Deno.remove(path);
    now += 1000;
    await writer.write(bytes("three\n"));
    assertEquals(await Deno.readTextFile(`${path}.old`), "one\n");
    assertEquals(await Deno.readTextFile(path), "three\n");
  });
});

Deno.test("FileWriter fails when the directory is gone, so that lines are not lost unseen, until it is back", async () => {
  await inDirectory(async (path) => {
    const directory = `${path}.d`;
    await Deno.mkdir(directory);
    let now = 0;
    using writer = new FileWriter(`${directory}/log`, null, () => now);
    await writer.write(bytes("one\n"));
    await Deno.remove(directory, { recursive: true });
    now += 1000;
    for (let tries = 0; tries < 2; tries++) {
      await assertRejects(() => writer.write(bytes("two\n")), Error, "no such file or directory");
    }
    await Deno.mkdir(directory);
    await writer.write(bytes("three\n"));
    assertEquals(await Deno.readTextFile(`${directory}/log`), "three\n");
  });
});

Deno.test("FileWriter renames a file that would grow too large, and keeps as many as are wanted", async () => {
  await inDirectory(async (path) => {
    using writer = new FileWriter(path, { size: 8, keep: 2 });
    for (const line of ["1\n", "2\n", "3\n", "4\n", "5\n", "6\n", "longer than a file\n", "7\n"]) {
      await writer.write(bytes(line));
    }
    const read = (name: string) => Deno.readTextFile(`${path}${name}`);
    assertEquals([await read(""), await read(".1"), await read(".2")], [
      "7\n",
      "longer than a file\n",
      "5\n6\n",
    ]);
    const names = await Array.fromAsync(Deno.readDir(path.slice(0, path.lastIndexOf("/"))));
    assertEquals(names.length, 3);
  });
});

Deno.test("FileWriter two writers of one file keep to what has the name", async () => {
  await inDirectory(async (path) => {
    let now = 0;
    const rotation = { size: 10, keep: 3 };
    using one = new FileWriter(path, rotation, () => now);
    using two = new FileWriter(path, rotation, () => now);
    await one.write(bytes("one one\n"));
    now += 1000;
    await two.write(bytes("two two\n"));
    now += 1000;
    await one.write(bytes("x\n"));
    assertEquals(await Deno.readTextFile(path), "two two\nx\n");
    assertEquals(await Deno.readTextFile(`${path}.1`), "one one\n");
  });
});

Deno.test("FileWriter says why a file cannot be opened or written", async () => {
  await inDirectory(async (path) => {
    assertThrows(() => new FileWriter(`${path}/x/y`), Error, "no such file or directory");
    assertThrows(() => new FileWriter(path.slice(0, path.lastIndexOf("/"))), Error, "it is a directory");
    using early = new FileWriter(`${path}.d/log`, null, undefined, true);
    await assertRejects(() => early.write(bytes("lost\n")), Error, "no such file or directory");
    Deno.mkdirSync(`${path}.d`);
    assertEquals(await early.write(bytes("kept\n")), 5);
    assertEquals(Deno.readTextFileSync(`${path}.d/log`), "kept\n");
    using full = new FileWriter("/dev/full");
    await assertRejects(() => full.write(bytes("x\n")), Error, "no space left");
  });
});
