import { NamedFiles } from "../../mod/config/named_files.ts";
import { assertEquals } from "../assert.ts";

Deno.test("NamedFiles.read() has the certificate and its key of one file, and each file once", () => {
  const asked: string[] = [];
  const files = new NamedFiles({
    read: (path, kind) => (asked.push(`${kind} ${path}`), { text: `${kind};`, warning: null }),
    belong: () => true,
  });
  for (const kind of ["certificate", "key", "key"] as const) {
    assertEquals(files.read("both.pem", kind), { text: `${kind};`, warning: null });
  }
  assertEquals(asked, ["certificate both.pem", "key both.pem"]);
  assertEquals([...files.texts], [["both.pem", "certificate;key;"]]);
});
