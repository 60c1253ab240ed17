import { AdminSocket, askAdmin, isRunning } from "../../mod/runtime/admin_socket_io.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";

const answer = () => Response.json({ pid: 1 });
const NOBODY = 65534;

Deno.test("AdminSocket.open() answers on a socket that only the owner and the group may use", async () => {
  const directory = await Deno.makeTempDir();
  const path = `${directory}/node.sock`;
  const opened = await AdminSocket.open(path, answer);
  assert("socket" in opened);
  assertEquals((await Deno.stat(path)).mode! & 0o777, 0o660);
  assertEquals(await askAdmin(path, "/status"), { pid: 1 });
  await opened.socket.close();
  await Deno.remove(directory, { recursive: true });
});

Deno.test("AdminSocket.open() does not wait at its end for a request that never comes whole", async () => {
  const directory = await Deno.makeTempDir();
  const path = `${directory}/node.sock`;
  const opened = await AdminSocket.open(path, answer);
  assert("socket" in opened);
  const client = await Deno.connect({ transport: "unix", path });
  await client.write(new TextEncoder().encode("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"));
  // One that is answered shows that the other has come, too.
  assertEquals(await askAdmin(path, "/status"), { pid: 1 });
  await opened.socket.close();
  assertEquals(await client.read(new Uint8Array(512)).catch(() => null), null);
  client.close();
  await Deno.remove(directory, { recursive: true });
});

Deno.test("AdminSocket.open() ends a connection whose request is none that can be answered", async () => {
  const directory = await Deno.makeTempDir();
  const path = `${directory}/node.sock`;
  const opened = await AdminSocket.open(path, answer);
  assert("socket" in opened);
  for (const line of ["GET //", "TRACE /"]) {
    const client = await Deno.connect({ transport: "unix", path });
    await client.write(new TextEncoder().encode(`${line} HTTP/1.1\r\nHost: x\r\n\r\n`));
    assertEquals(await new Response(client.readable).text().catch(() => ""), "", line);
  }
  await opened.socket.close();
  await Deno.remove(directory, { recursive: true });
});

Deno.test({
  name: "AdminSocket.open() refuses a directory of another user, who could take the socket's place",
  ignore: Deno.uid() !== 0,
  fn: async () => {
    const directory = await Deno.makeTempDir();
    await Deno.chown(directory, NOBODY, NOBODY);
    const opened = await AdminSocket.open(`${directory}/node.sock`, answer);
    assert("problem" in opened);
    assertStringIncludes(opened.problem, `${directory} belongs to another user (uid ${NOBODY})`);
    await Deno.remove(directory, { recursive: true });
  },
});

Deno.test("release() another socket takes the place at once, and stays when the first is done with its requests", async () => {
  const directory = await Deno.makeTempDir();
  const path = `${directory}/node.sock`;
  const late = Promise.withResolvers<Response>();
  const arrived = Promise.withResolvers<void>();
  const first = await AdminSocket.open(path, () => {
    arrived.resolve();
    return late.promise;
  });
  assert("socket" in first);
  const asked = askAdmin(path, "/status", 10_000);
  await arrived.promise;
  first.socket.release();
  const second = await AdminSocket.open(path, answer);
  assert("socket" in second);
  assertEquals(await askAdmin(path, "/status"), { pid: 1 });
  late.resolve(Response.json({ pid: 0 }));
  assertEquals(await asked, { pid: 0 });
  await first.socket.close();
  assertEquals(await askAdmin(path, "/status"), { pid: 1 });
  assertEquals([...Deno.readDirSync(directory)].map(({ name }) => name).sort(), [
    "node.sock",
    "node.sock.lock",
  ]);
  await second.socket.close();
  await Deno.remove(directory, { recursive: true });
});

/** How often this process has a file open. */
function opened(path: string): number {
  return [...Deno.readDirSync("/proc/self/fd")].filter(({ name }) => {
    try {
      return Deno.readLinkSync(`/proc/self/fd/${name}`) === path;
    } catch {
      return false;
    }
  }).length;
}

Deno.test("AdminSocket.close() leaves nothing behind, and who waited for the lock has one that the next one meets", async () => {
  const directory = await Deno.makeTempDir();
  const path = `${directory}/node.sock`, lock = `${path}.lock`;
  const first = await AdminSocket.open(path, answer);
  assert("socket" in first);
  const waiting = AdminSocket.open(path, answer);
  while (opened(lock) < 2) await new Promise((resolve) => setTimeout(resolve, 1));
  await first.socket.close();
  const second = await waiting;
  assert("socket" in second);
  const { code } = await new Deno.Command("flock", { args: ["-n", lock, "true"] }).output();
  assertEquals(code, 1, "the lock at that name is held");
  await second.socket.close();
  assertEquals(await isRunning(path), false);
  assertEquals([...Deno.readDirSync(directory)], []);
  await Deno.remove(directory, { recursive: true });
});

Deno.test({
  name: "AdminSocket.open() knows the user who asks",
  ignore: Deno.uid() !== 0,
  fn: async () => {
    const directory = await Deno.makeTempDir();
    await Deno.chmod(directory, 0o755);
    const path = `${directory}/node.sock`;
    const opened = await AdminSocket.open(path, (_request, { peer }) => Response.json({ peer }));
    assert("socket" in opened);
    await Deno.chmod(path, 0o666);
    const asked = async (uid: number) => {
      const { stdout } = await new Deno.Command("curl", {
        args: ["-s", "--unix-socket", path, "http://localhost/"],
        uid,
      }).output();
      return JSON.parse(new TextDecoder().decode(stdout)).peer;
    };
    assertEquals([await asked(0), await asked(54321)], ["root (uid 0)", "uid 54321"]);
    await opened.socket.close();
    await Deno.remove(directory, { recursive: true });
  },
});
