import { Key } from "../../mod/acme/keys_io.ts";
import { LIMITS, serveAdmin } from "../../mod/runtime/admin_http_io.ts";
import { type AdminAddress, AdminServer } from "../../mod/runtime/admin_server_io.ts";
import { noDesk } from "../../mod/runtime/desk.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "../assert.ts";

const HOST = "127.0.0.1";

/** Free on every address of this machine's loopback. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "0.0.0.0", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

/** All that comes until the other end closes. */
async function rest(conn: Deno.Conn): Promise<string> {
  try {
    return await new Response(conn.readable).text();
  } catch {
    return "";
  }
}

async function askFrom(port: number): Promise<string> {
  const response = await fetch(`http://${HOST}:${port}/x`);
  return await response.text();
}

Deno.test("serveAdmin() lets one address hold so many connections, and none for long without a request", async () => {
  const port = freePort();
  const limits = { ...LIMITS, ofOneAddress: 3, headMs: 500, lookMs: 50 };
  const http = await serveAdmin("0.0.0.0", port, null, (_, { peer }) => new Response(peer), limits);
  const strangers = await Promise.all(
    Array.from({ length: 5 }, () => Deno.connect({ hostname: HOST, port })),
  );
  await strangers[0]!.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHos"));
  const said = await Promise.all(strangers.map(rest));
  assertEquals(said.filter((text) => text.startsWith("HTTP/1.1 408")).length, 3, "those that found a place");
  assertEquals(said.filter((text) => text === "").length, 2, "those that found none");
  assertStringIncludes(await askFrom(port), HOST);
  await http.close();
});

Deno.test("serveAdmin() ends a connection whose request is none that can be answered", async () => {
  const port = freePort();
  const http = await serveAdmin("0.0.0.0", port, null, () => new Response("x"));
  for (const line of ["OPTIONS *", "TRACE /"]) {
    const conn = await Deno.connect({ hostname: HOST, port });
    await conn.write(new TextEncoder().encode(`${line} HTTP/1.1\r\nHost: x\r\n\r\n`));
    assertEquals(await rest(conn), "", line);
  }
  await http.close();
});

Deno.test("serveAdmin() speaks TLS where it has a certificate, and only that", async () => {
  const port = freePort();
  const key = Key.make();
  const now = Date.now();
  const certificate = {
    cert: key.certificate({ name: "localhost", from: now - 1000, until: now + 3600_000 }),
    key: key.pem,
  };
  const http = await serveAdmin(
    HOST,
    port,
    certificate,
    async (request) => new Response(await request.text()),
  );
  using client = Deno.createHttpClient({ caCerts: [certificate.cert] });
  const answer = await fetch(`https://localhost:${port}/`, { client, method: "POST", body: "over TLS" });
  assertEquals(await answer.text(), "over TLS");
  await assertRejects(() => fetch(`http://${HOST}:${port}/`));
  await http.close();
});

/** An application that streams without an end to whoever knows its token. */
function app(token: string | null) {
  return {
    fetch(request: Request): Response {
      if (request.headers.get("authorization") !== `Bearer ${token}`) {
        return new Response("no", { status: 401 });
      }
      return new Response(
        new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode("first")) }),
      );
    },
  };
}

/** Puts an address in force. */
async function put(server: AdminServer, address: AdminAddress | null): Promise<void> {
  const prepared = await server.prepare(address);
  assert("commit" in prepared, JSON.stringify(prepared));
  prepared.commit();
}

Deno.test("AdminServer() ends open streams with another token and with another address, and not with the same", async () => {
  const facts = {
    state: () => "serving" as const,
    status: () => {
      throw new Error("nobody asks");
    },
    traffic: () => {
      throw new Error("nobody asks");
    },
    version: "1",
    desk: noDesk("nobody is asked"),
  };
  const server = new AdminServer(facts, (_, { token }) => app(token));
  const [one, other] = [freePort(), freePort()];
  const open = async (port: number, token: string) => {
    const response = await fetch(`http://${HOST}:${port}/`, {
      headers: { authorization: `Bearer ${token}` },
    });
    assertEquals(response.status, 200);
    const reader = response.body!.getReader();
    assertEquals(new TextDecoder().decode((await reader.read()).value), "first");
    return reader;
  };
  const ended = async (reader: ReadableStreamDefaultReader<Uint8Array>) => {
    await reader.read().then(({ done }) => assert(done), () => {});
  };
  const address = { host: HOST, port: one, token: "a", certificate: null };
  await put(server, address);
  const first = await open(one, "a");
  await put(server, { ...address });
  const second = await open(one, "a");
  await put(server, { ...address, token: "b" });
  await Promise.all([ended(first), ended(second)]);
  const third = await open(one, "b");
  await put(server, { ...address, port: other, token: "b" });
  await ended(third);
  const fourth = await open(other, "b");
  await put(server, null);
  await ended(fourth);
  await server.close();
});
