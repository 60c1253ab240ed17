/** A balancer that is started anew knows so, whatever it gets of the one before. */
import { TlsFiles } from "../../mod/config/certificates.ts";
import { heldText } from "../../mod/config/held_files.ts";
import { ReceivedFiles } from "../../mod/runtime/received_files.ts";
import { assertEquals } from "../assert.ts";

function received(...texts: string[]) {
  const told: string[] = [];
  const say = (message: string, fields = {}) => void told.push(`${message} ${JSON.stringify(fields)}`);
  const files = new ReceivedFiles({ debug: say, info: say, warning: say, error: say });
  for (const text of texts) files.receive(text);
  return { files, told };
}

Deno.test("ReceivedFiles() has what was held until a configuration is in force", () => {
  const texts = new Map([["page.html", "sorry"]]);
  const { files, told } = received(heldText({ texts, tls: new TlsFiles() })!);
  assertEquals([files.files?.texts, files.startedAnew], [texts, true]);
  files.forget();
  assertEquals([files.files, files.startedAnew, told.length], [null, false, 0]);
});

Deno.test("ReceivedFiles() knows of a balancer before whose files could not be kept, and of none", () => {
  const { files, told } = received("");
  assertEquals([files.files, files.startedAnew, told.length], [null, true, 0]);
  assertEquals(received().files.startedAnew, false);
});

Deno.test("ReceivedFiles() says that it does not understand what was held, and shows nothing of it", () => {
  const { files, told } = received('{"texts":"secret"}');
  assertEquals([files.files, files.startedAnew, told.length], [null, true, 1]);
  assertEquals(told[0]!.includes("secret"), false);
});
