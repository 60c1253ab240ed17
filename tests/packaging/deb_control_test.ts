import { assert, assertEquals } from "../assert.ts";
import { controlFile, debVersion } from "../../packaging/deb_control.ts";

Deno.test("debVersion() a build before a release sorts before it", () => {
  assertEquals(debVersion("0.1.0"), "0.1.0");
  assertEquals(debVersion("0.1.0+20260131.1a2b3c4.changed"), "0.1.0~20260131.1a2b3c4.changed");
});

Deno.test("controlFile() has the fields that dpkg wants, and the size in KiB, rounded up", () => {
  const text = controlFile({ version: "0.1.0", architecture: "arm64", bytes: 1025 });
  assert(text.startsWith("Package: tandem\nVersion: 0.1.0\nArchitecture: arm64\n"));
  assert(text.includes("\nInstalled-Size: 2\n"));
  // A line that goes on begins with a space, and none is empty.
  assert(text.endsWith("\n") && !text.includes("\n\n"));
});
