import { assertEquals, assertStringIncludes } from "../assert.ts";
import { EVIL, get, head } from "./http1_case.ts";
import { RawSocket } from "./raw_socket.ts";
import { startTandem } from "./subject.ts";

const UPGRADE = get("Connection: Upgrade", "Upgrade: websocket");
const SWITCHED = head(
  "HTTP/1.1 101 Switching Protocols",
  "Connection: Upgrade",
  "Upgrade: websocket",
  "X-A: 1",
);

/** Gives a client in front of a data plane and the server's side of its connection. */
async function withBothEnds(
  body: (client: RawSocket, server: Promise<RawSocket>) => Promise<void>,
): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const tandem = await startTandem(listener.addr.port);
  const server = listener.accept().then((conn) => new RawSocket(conn));
  const client = await RawSocket.connect(tandem.address);
  try {
    await body(client, server);
    assertEquals(tandem.errors, []);
  } finally {
    await client.close();
    await (await server).close();
    await tandem.close();
    listener.close();
  }
}

/** Waits for what must come, and fails with what came instead. */
async function expectText(socket: RawSocket, text: string): Promise<void> {
  await socket.until(() => socket.received.includes(text));
  assertStringIncludes(socket.received, text);
}

Deno.test("RFC 9110 section 7.8: after 101 bytes pass both ways, whatever they are", async () => {
  await withBothEnds(async (client, accepted) => {
    await client.send(UPGRADE);
    const server = await accepted;
    await expectText(server, "\r\n\r\n");
    await server.send(SWITCHED);
    await expectText(client, "\r\n\r\n");
    assertStringIncludes(client.received, "HTTP/1.1 101 ");
    assertStringIncludes(client.received, "Connection: Upgrade\r\nUpgrade: websocket\r\n");
    assertStringIncludes(client.received, "X-A: 1\r\n");
    await client.send("\0\xffnot HTTP\r\n\r\n");
    await expectText(server, "\0\xffnot HTTP\r\n\r\n");
    await server.send("HTTP/1.1 400 no answer\r\n\r\n\0");
    await expectText(client, "HTTP/1.1 400 no answer\r\n\r\n\0");
  });
});

Deno.test("RFC 9110 section 7.8: bytes behind either head belong to the tunnel", async () => {
  await withBothEnds(async (client, accepted) => {
    await client.send(UPGRADE + EVIL);
    const server = await accepted;
    await expectText(server, "\r\n\r\n");
    // Until the server agrees they are a request of their own, and wait.
    assertEquals(server.received.includes("evil"), false);
    await server.send(`${SWITCHED}early`);
    await expectText(client, "\r\n\r\nearly");
    await expectText(server, `\r\n\r\n${EVIL}`);
  });
});

Deno.test("RFC 9110 section 7.8: each side of a tunnel ends by itself", async () => {
  await withBothEnds(async (client, accepted) => {
    await client.send(UPGRADE);
    const server = await accepted;
    await expectText(server, "\r\n\r\n");
    await server.send(SWITCHED);
    await expectText(client, "\r\n\r\n");
    await client.send("last words");
    await client.finish();
    await expectText(server, "last words");
    await server.until(() => server.ended);
    assertEquals(server.ended, true);
    await server.send("an answer to them");
    await expectText(client, "an answer to them");
    await server.finish();
    await client.until(() => client.ended);
    assertEquals(client.ended, true);
  });
});
