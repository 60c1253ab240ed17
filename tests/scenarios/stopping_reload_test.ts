/** A node that is stopping stays on its way: nothing that comes then opens it again. */
import { assertEquals } from "../assert.ts";
import { freePort, Node } from "./node.ts";

const REFUSED = "the configuration stays as it is, as the node is stopping";

Deno.test("run() a reload while the node drains opens no address again", async () => {
  const answer = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async () => {
    arrived.resolve();
    await answer.promise;
    return new Response("late");
  });
  const port = freePort();
  const config = `
listeners: [{ name: web, bind: "127.0.0.1:${port}", pool: app }]
pools: { app: { servers: ["127.0.0.1:${server.addr.port}"] } }
workers: 2`;
  await using node = await Node.start(config);
  const request = fetch(`http://127.0.0.1:${port}/`).then((response) => response.text());
  request.catch(() => {});
  await arrived.promise;
  node.program.kill("SIGTERM");
  // The balancer says so when its workers have been told; the one without a request is done at once.
  await node.program.line('"message":"draining"');
  node.program.kill("SIGHUP");
  await node.program.line(REFUSED);
  const again = await Deno.connect({ hostname: "127.0.0.1", port }).then((conn) => conn.close(), () => null);
  assertEquals(again, null, "nobody listens any more");
  answer.resolve();
  assertEquals(await request, "late");
  assertEquals(await node.program.ended(), 0, node.program.text);
  await server.shutdown();
});
