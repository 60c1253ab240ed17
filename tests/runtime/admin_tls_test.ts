/** A node whose admin address speaks TLS, as its users start it. */
import { Key } from "../../mod/acme/keys_io.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { freePort, tandem, tandemCommand, withDirectory } from "../cli/tandem.ts";

const TOKEN = "a-long-secret-token";

/** Writes a certificate of its own for localhost, and its key; the answer is the certificate. */
function writePair(directory: string): string {
  const key = Key.make(), now = Date.now();
  const cert = key.certificate({ name: "localhost", from: now - 1000, until: now + 3600_000 });
  Deno.writeTextFileSync(`${directory}/admin.pem`, cert);
  Deno.writeTextFileSync(`${directory}/admin.key`, key.pem);
  return cert;
}

/** Asks until who answers is trusted by this certificate. */
async function untilShown(url: string, cert: string): Promise<number> {
  using client = Deno.createHttpClient({ caCerts: [cert], poolMaxIdlePerHost: 0 });
  for (;;) {
    try {
      const response = await fetch(url, { client });
      await response.body?.cancel();
      return response.status;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

Deno.test("admin.tls() is spoken, wants the token, is asked with --ca, and shows a renewed certificate", async () => {
  await withDirectory(async (cwd) => {
    const [port, admin] = [freePort(), freePort()];
    const url = `https://localhost:${admin}`;
    const first = writePair(cwd);
    await Deno.writeTextFile(
      `${cwd}/tandem.yaml`,
      `listeners: [{ name: web, bind: "127.0.0.1:${port}", routes: [{ respond: { body: hi } }] }]
admin: { bind: "127.0.0.1:${admin}", token: ${TOKEN}, tls: { cert: admin.pem, key: admin.key } }
workers: 1`,
    );
    const env = { RUNTIME_DIRECTORY: cwd };
    await using child = tandemCommand(["run", "--node", "n1"], { cwd, env }).spawn();
    const log = new Response(child.stderr).text();
    assertEquals(await untilShown(`${url}/healthz`, first), 200);
    const ask = (...args: string[]) =>
      tandem(["log", "debug", "--url", url, "--ca", "admin.pem", ...args], { cwd });
    assertEquals((await ask("--token", TOKEN)).code, 0);
    assertStringIncludes((await ask()).err, "a valid token is needed");
    assertEquals(
      (await tandem(["status", "--node", "n1"], { cwd, env })).code,
      0,
      "by the socket, without either",
    );

    assertEquals(await untilShown(`${url}/healthz`, writePair(cwd)), 200);

    await Deno.remove(`${cwd}/admin.key`);
    const reload = await tandem(["reload", "--node", "n1"], { cwd, env });
    assertEquals(reload.code, 1);
    assertStringIncludes(reload.err, "admin.tls.key: ");
    child.kill("SIGTERM");
    assert((await child.status).success, await log);
    await log;
    await child.stdout.cancel();
  });
});
