import { NEW_RECORD } from "../../mod/acme/record.ts";
import { StoredFiles } from "../../mod/runtime/stored_files_io.ts";
import { acmeDirectory } from "../../mod/runtime/state_path.ts";
import { assert, assertEquals } from "../assert.ts";

async function withDirectory(use: (files: StoredFiles, directory: string) => Promise<void>): Promise<void> {
  const base = await Deno.makeTempDir({ prefix: "tandem-stored-" });
  const files = new StoredFiles();
  files.directory = `${base}/lb1/acme`;
  try {
    await use(files, files.directory);
  } finally {
    await Deno.remove(base, { recursive: true });
  }
}

Deno.test("StoredFiles() writes whole files that only their user reads", async () => {
  await withDirectory(async (files, directory) => {
    assertEquals([...await files.times()], [], "before there is anything");
    assertEquals(await Promise.all([files.store("a.pem", "one"), files.store("a.pem", "two")]), ["", ""]);
    assertEquals(Deno.readTextFileSync(`${directory}/a.pem`), "two");
    assertEquals(Deno.statSync(`${directory}/a.pem`).mode! & 0o777, 0o600);
    assertEquals(Deno.statSync(directory).mode! & 0o777, 0o700);
    assertEquals([...Deno.readDirSync(directory)].map(({ name }) => name), ["a.pem"]);
  });
});

Deno.test("StoredFiles() refuses names that lead elsewhere, texts that are too long, and to be without a place", async () => {
  await withDirectory(async (files) => {
    assert((await files.store("../a.pem", "x")).includes("such a name"));
    assert((await files.store("a.pem", "x".repeat(40_000))).includes("too long"));
    assertEquals(await files.read("../../../etc/passwd"), null);
    files.directory = "/proc/nowhere";
    assert((await files.store("a.pem", "x")).startsWith("Cannot store a.pem in /proc/nowhere: "));
    files.directory = null;
    assert((await files.store("a.pem", "x")).includes("no acme"));
  });
});

Deno.test("StoredFiles() takes another node's file only when it is newer, and its own always", async () => {
  await withDirectory(async (files) => {
    const future = Date.now() + 3600_000;
    await files.store("a.pem", "other's", future);
    assertEquals(await files.read("a.pem"), { name: "a.pem", text: "other's", at: future });
    await files.store("a.pem", "older", future - 1);
    await files.store("a.pem", "as old", future);
    assertEquals((await files.read("a.pem"))!.text, "other's");
    await files.store("a.pem", "ours");
    const { text, at } = (await files.read("a.pem"))!;
    assertEquals([text, at], ["ours", future + 1], "also where our clock is behind");
  });
});

Deno.test("acmeDirectory() is the service's, root's or the user's, and has the node's name in it", () => {
  const none = () => undefined;
  const facts = { configured: undefined, node: "lb1", uid: 0, env: none };
  assertEquals(acmeDirectory(facts), "/var/lib/tandem/lb1/acme");
  assertEquals(acmeDirectory({ ...facts, configured: "/srv/state" }), "/srv/state/lb1/acme");
  assertEquals(acmeDirectory({ ...facts, node: "../x" }), "/var/lib/tandem/%2E%2E%2Fx/acme");
  const service = (name: string) => name === "STATE_DIRECTORY" ? "/var/lib/a:/var/lib/b" : undefined;
  assertEquals(acmeDirectory({ ...facts, uid: 99, env: service }), "/var/lib/a/lb1/acme");
  const user = (name: string) => name === "HOME" ? "/home/u" : undefined;
  assertEquals(acmeDirectory({ ...facts, uid: 99, env: user }), "/home/u/.local/state/tandem/lb1/acme");
});

Deno.test("StoredFiles() keeps a damaged file aside, and takes none for a good one", async () => {
  await withDirectory(async (files, directory) => {
    const good = JSON.stringify(NEW_RECORD);
    await Deno.mkdir(directory, { recursive: true });
    await Deno.writeTextFile(`${directory}/a.json`, "{");
    assertEquals(await files.store("a.json", good), "");
    assertEquals(await Deno.readTextFile(`${directory}/a.json.bad`), "{");
    const { at } = (await files.read("a.json"))!;
    assertEquals(await files.store("a.json", "{", at + 5000), "");
    assertEquals(
      (await files.read("a.json"))!,
      { name: "a.json", text: good, at: at + 5001 },
      "newer than the other's",
    );
    assertEquals([...(await files.times()).keys()], ["a.json"], "what is aside is not shared");
  });
});
