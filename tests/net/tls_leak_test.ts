/** Connections over TLS that are given up at any stage leave nothing behind; by hand the program does it at length. */
import { assert } from "../assert.ts";
import { labTest } from "../lab/tools.ts";
import { ROOT } from "../style/tree.ts";
import { Certificates } from "./openssl.ts";

const ROUNDS = 60;
/** A connection, a certificate or a session that is not freed takes more; buffers of the runtime come and go. */
const MOST_BYTES = 2000;

labTest("OpensslCodec() frees what a connection held, at whatever stage it ends", ["openssl"], async () => {
  await using made = await Certificates.make();
  await made.issue("authority");
  for (const name of ["shop", "api"]) await made.issue(name, { by: "authority" });
  await made.issue("client", { by: "authority", client: true });
  const program = `${ROOT}/tests/net/tls_leak_program.ts`;
  const flags = ["run", "--quiet", "--no-check", "--allow-all", "--v8-flags=--expose-gc"];
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...flags, program, made.directory, `${ROUNDS}`],
    cwd: ROOT,
  }).output();
  const text = new TextDecoder().decode(stdout);
  assert(text !== "", new TextDecoder().decode(stderr));
  const grown = Object.entries(JSON.parse(text) as Record<string, number>);
  assert(grown.length > 10, text);
  for (const [stage, bytes] of grown) assert(bytes < MOST_BYTES, `${stage}: ${bytes} bytes a connection`);
});
