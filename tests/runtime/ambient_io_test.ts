import { assertEquals } from "../assert.ts";

const PROGRAM = new URL("./ambient_program.ts", import.meta.url).pathname;
/** CAP_NET_BIND_SERVICE (10), CAP_NET_ADMIN (12), CAP_NET_RAW (13). */
const ALL = "0000000000003400";
const PORTS_ONLY = "0000000000000400";

async function maySetAmbient(): Promise<boolean> {
  if (Deno.uid() !== 0) return false;
  const probe = new Deno.Command("setpriv", {
    args: ["--inh-caps", "+net_raw", "--ambient-caps", "+net_raw", "true"],
    stdout: "null",
    stderr: "null",
  });
  return await probe.output().then(({ success }) => success, () => false);
}

const possible = await maySetAmbient();

Deno.test({
  name: "withoutCapabilities() keeps both from one child and not from the next (root and setpriv)",
  ignore: !possible,
  async fn() {
    const capabilities = "+net_admin,+net_raw,+net_bind_service";
    const { code, stdout, stderr } = await new Deno.Command("setpriv", {
      args: [
        ...["--inh-caps", capabilities, "--ambient-caps", capabilities],
        ...[Deno.execPath(), "run", "--quiet", "--allow-ffi", "--allow-run=/bin/grep", PROGRAM],
      ],
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    assertEquals(JSON.parse(new TextDecoder().decode(stdout)), { without: PORTS_ONLY, after: ALL });
  },
});
