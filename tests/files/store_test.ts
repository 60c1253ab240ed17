import { Contents, FileStore, KEPT_FILE_BYTES, SMALL_FILE_BYTES } from "../../mod/files/store.ts";
import { assert, assertEquals, assertStrictEquals } from "../assert.ts";
import { SimDisk } from "../sim/disk.ts";

/** Long after everything was written. */
const WALL = 2_000_000_000_000;

function storeOf(disk: SimDisk) {
  const store = new FileStore(disk);
  return {
    store,
    kind: (path: string, now = 0) => store.look("/www", path, now).kind,
    text: (path: string, now: number, wall = WALL) => {
      store.look("/www", path, now);
      const contents = store.contents("/www", path, now, wall, true);
      return contents instanceof Contents ? new TextDecoder().decode(contents.bytes) : contents;
    },
  };
}

Deno.test("FileStore.look() tells files, directories and what is neither", () => {
  const disk = new SimDisk().write("/www/a/b.txt", "b").special("/www/fifo");
  const { kind } = storeOf(disk);
  assertEquals(["", "/a", "/a/b.txt", "/x", "/a/b.txt/c", "/fifo"].map((path) => kind(path)), [
    "directory",
    "directory",
    "file",
    "missing",
    "missing",
    "missing",
  ]);
});

Deno.test("FileStore.look() follows links below the root and none that lead out of it", () => {
  const disk = new SimDisk().write("/www/a.txt", "a").write("/etc/shadow", "x").write("/www2/b", "b")
    .link("/www/in", "a.txt").link("/www/out", "/etc/shadow").link("/www/up", "..").link(
      "/www/beside",
      "/www2",
    )
    .link("/www/loop", "loop").link("/www/self", ".").link("/www/chain", "out");
  const { kind } = storeOf(disk);
  assertEquals(
    [
      "/in",
      "/self/a.txt",
      "/out",
      "/up",
      "/up/etc/shadow",
      "/up/www/a.txt",
      "/beside",
      "/beside/b",
      "/loop",
      "/chain",
    ]
      .map((path) => kind(path)),
    ["file", "file", "missing", "missing", "missing", "file", "missing", "missing", "missing", "missing"],
  );
});

Deno.test("FileStore.look() the root may be a link, which leads elsewhere within a second", () => {
  const disk = new SimDisk().write("/r1/a", "one").write("/r2/a", "other").link("/www", "/r1");
  const { text } = storeOf(disk);
  assertEquals(text("/a", 0), "one");
  disk.link("/www", "/r2");
  assertEquals(text("/a", 999), "one");
  assertEquals(text("/a", 1000), "other");
});

Deno.test("FileStore.look() a root that is missing is looked for again and again", () => {
  const disk = new SimDisk();
  const { kind } = storeOf(disk);
  assertEquals(kind("/a"), "missing");
  disk.write("/www/a", "a");
  assertEquals(kind("/a", 1000), "file");
});

Deno.test("FileStore.look() asks the disk once a second, also for what is missing", () => {
  const disk = new SimDisk().write("/www/a", "a");
  const { kind, text } = storeOf(disk);
  for (let now = 0; now < 1000; now += 10) [kind("/a", now), kind("/b", now), text("/a", now)];
  assertEquals(disk.calls, { realPath: 3, status: 1, open: 1, list: 0, read: 1 });
  disk.write("/www/b", "b").remove("/www/a");
  assertEquals([kind("/a", 999), kind("/b", 999)], ["file", "missing"]);
  assertEquals([kind("/a", 1000), kind("/b", 1000)], ["missing", "file"]);
  assertEquals(text("/b", 1000), "b");
});

Deno.test("FileStore.contents() reads a file once and again when anything of it differs", () => {
  const disk = new SimDisk().write("/www/a", "one", 1000);
  const { text } = storeOf(disk);
  assertEquals(text("/a", 0), "one");
  assertEquals(text("/a", 5000), "one");
  assertEquals(disk.calls.read, 1);
  disk.change("/www/a", "two", 2000);
  assertEquals(text("/a", 7000), "two");
  disk.change("/www/a", "three", 2000);
  assertEquals(text("/a", 9000), "three");
  disk.write("/www/a", "other", 2000); // another file of the same date and size
  assertEquals(text("/a", 11_000), "other");
  assertEquals(disk.opened, 0);
});

Deno.test("FileStore.contents() does not trust the date of a file that was written just now", () => {
  const disk = new SimDisk().write("/www/a", "one", WALL - 100);
  const { text } = storeOf(disk);
  assertEquals(text("/a", 0), "one");
  disk.change("/www/a", "two", WALL - 100);
  assertEquals(text("/a", 1000, WALL + 1000), "two");
  assertEquals(text("/a", 3000, WALL + 3000), "two");
  const { read } = disk.calls;
  assertEquals(text("/a", 5000, WALL + 5000), "two");
  assertEquals(disk.calls.read, read, "it is settled now");
});

Deno.test("FileStore.contents() is one version of the file, or none", () => {
  const disk = new SimDisk().write("/www/a", "before", 1);
  const { text } = storeOf(disk);
  let changes = 1;
  disk.onRead = () => changes-- > 0 && disk.change("/www/a", "after", 2);
  assertEquals(text("/a", 0), "after");
  let date = 10;
  disk.onRead = () => disk.change("/www/a", "never the same", date++);
  disk.change("/www/a", "x", date++);
  assertEquals(text("/a", 1000), "changing");
  assertEquals(disk.opened, 0);
});

Deno.test("FileStore.contents() a large file is not taken into memory", () => {
  const disk = new SimDisk().write("/www/small", new Uint8Array(SMALL_FILE_BYTES))
    .write("/www/large", new Uint8Array(SMALL_FILE_BYTES + 1));
  const { text } = storeOf(disk);
  assertEquals(String(text("/small", 0)).length, SMALL_FILE_BYTES);
  assertEquals(text("/large", 0), null);
});

Deno.test("FileStore.contents() a large file is kept when it is asked for again within a second", () => {
  const disk = new SimDisk().write("/www/large", new Uint8Array(KEPT_FILE_BYTES))
    .write("/www/huge", new Uint8Array(KEPT_FILE_BYTES + 1));
  const { text } = storeOf(disk);
  assertEquals([text("/large", 0), text("/large", 1000), text("/large", 2500)], [null, null, null]);
  assertEquals(String(text("/large", 3000)).length, KEPT_FILE_BYTES);
  const { read } = disk.calls;
  assertEquals(String(text("/large", 9000)).length, KEPT_FILE_BYTES);
  assertEquals(disk.calls.read, read);
  for (let now = 10_000; now < 10_500; now += 100) assertEquals(text("/huge", now), null);
});

Deno.test("FileStore.contents() what is still being sent counts, so that there is never more of it", () => {
  const disk = new SimDisk();
  for (let at = 0; at < 9; at++) disk.write(`/www/${at}`, new Uint8Array(10 * 1024 * 1024));
  const { store } = storeOf(disk);
  const held = [];
  for (let at = 0; at < 9; at++) {
    for (const _ of [1, 2]) {
      store.look("/www", `/${at}`, 0);
      const contents = store.contents("/www", `/${at}`, 0, WALL, true);
      if (contents instanceof Contents) held.push(contents.lease());
    }
    assert(store.bytes <= 32 * 1024 * 1024, String(store.bytes));
  }
  assertEquals(held.length, 3);
  for (const lease of held) lease.release();
  store.look("/www", "/8", 0);
  assert(store.contents("/www", "/8", 0, WALL, true) instanceof Contents);
  assert(store.bytes <= 32 * 1024 * 1024);
});

Deno.test("FileStore says what it may not read and what fails", () => {
  const disk = new SimDisk().write("/www/a", "a").write("/www/b", "b").deny("/www/a");
  const { kind, text } = storeOf(disk);
  assertEquals(text("/a", 0), "denied");
  disk.failing = true;
  assertEquals(text("/b", 0), "failed");
  disk.failing = false;
  assertEquals(kind("/b"), "file", "at once");
});

Deno.test("FileStore is bounded in bytes and in entries, and keeps what is used", () => {
  const disk = new SimDisk();
  for (let at = 0; at < 1000; at++) disk.write(`/www/${at}`, new Uint8Array(60_000));
  const { store, kind, text } = storeOf(disk);
  for (let at = 0; at < 1000; at++) {
    text(`/${at}`, 0);
    text("/0", 0);
  }
  assert(store.bytes > 30 * 1024 * 1024 && store.bytes <= 32 * 1024 * 1024, String(store.bytes));
  assertEquals(disk.calls.read, 1000, "what is asked for all the time stays");
  for (let at = 0; at < 20_000; at++) kind(`/missing${at}`);
  assert(store.bytes <= 8192 * 512 + 60_000, String(store.bytes));
});

Deno.test("FileStore.open() opens what was looked at and nothing else", () => {
  const disk = new SimDisk().write("/www/a", "a");
  const { store } = storeOf(disk);
  const entry = store.look("/www", "/a", 0);
  assert(entry.kind === "file");
  disk.write("/www/a", "b");
  assertEquals(store.open(entry), "changing");
  disk.remove("/www/a");
  assertEquals(store.open(entry), "missing");
  assertEquals(disk.opened, 0);
  store.forget("/www", "/a");
  assertEquals(store.look("/www", "/a", 0).kind, "missing");
});

Deno.test("FileStore two roots that read alike are two", () => {
  const disk = new SimDisk().write("/a/b/c", "x").link("/a/b/out", "/a/secret").write("/a/secret", "s");
  const store = new FileStore(disk);
  assertEquals(store.look("/a", "/b/out", 0).kind, "file");
  assertEquals(store.look("/a/b", "/out", 0).kind, "missing");
  assertStrictEquals(store.look("/a", "/b/c", 0), store.look("/a", "/b/c", 1));
});
