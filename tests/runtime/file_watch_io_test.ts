import { FileWatch } from "../../mod/runtime/file_watch_io.ts";
import { assertEquals } from "../assert.ts";

Deno.test("FileWatch tells once of what has changed, when it is left alone", async () => {
  const directory = await Deno.makeTempDir({ prefix: "tandem-watch-" });
  let files = [`${directory}/a`, `${directory}/b`];
  let changes = 0;
  const watch = new FileWatch({ files: () => files, onChange: () => changes++ });
  const look = async (expected: number) => {
    await watch.look();
    assertEquals(changes, expected);
  };
  try {
    Deno.writeTextFileSync(files[0]!, "1");
    await look(0);
    await look(0);
    Deno.writeTextFileSync(files[0]!, "22");
    await look(0);
    Deno.writeTextFileSync(files[1]!, "new");
    await look(0);
    await look(1);
    await look(1);
    // Others are no change.
    files = [files[1]!];
    await look(1);
    await look(1);
    Deno.removeSync(files[0]!);
    await look(1);
    await look(2);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
