import { assertEquals } from "../assert.ts";
import { stopServer } from "../../mod/runtime/stop_server_io.ts";

const HALF_A_REQUEST = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nab";

Deno.test("stopServer() does not wait for a body that never comes", async () => {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response("no"),
  );
  const client = await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
  await client.write(new TextEncoder().encode(HALF_A_REQUEST));
  const answer = new Uint8Array(512);
  const length = await client.read(answer);
  assertEquals(new TextDecoder().decode(answer.subarray(0, length ?? 0)).slice(0, 12), "HTTP/1.1 200");
  await stopServer(server);
  client.close();
  await server.finished;
});
