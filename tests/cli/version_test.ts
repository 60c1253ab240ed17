import { assertEquals } from "../assert.ts";
import { stampOf, unstamp } from "../../mod/cli/version.ts";

Deno.test("unstamp() takes the build's stamp off the arguments of a compiled binary", () => {
  assertEquals(unstamp([stampOf("1.2.3+x"), "run", "-c", "f"], true), {
    version: "1.2.3+x",
    args: ["run", "-c", "f"],
  });
});

Deno.test("unstamp() leaves the arguments alone where there is no stamp, and from source", () => {
  const plain = unstamp(["run"], true);
  assertEquals(plain.args, ["run"]);
  const forged = unstamp([stampOf("9.9.9"), "run"], false);
  assertEquals(forged.args, [stampOf("9.9.9"), "run"]);
  assertEquals(forged.version, plain.version);
});
