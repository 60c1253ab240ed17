/** Connections to an HTTP server: for each line of input a request on each, and who answered, or "gone", to the output. */
const [hostname = "", port = "", count = ""] = Deno.args;
const connections = await Promise.all(
  Array.from({ length: Number(count) }, () => Deno.connect({ hostname, port: Number(port) })),
);

async function ask(connection: Deno.Conn): Promise<string> {
  const buffer = new Uint8Array(4096);
  try {
    await connection.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: lab\r\n\r\n"));
    const length = await connection.read(buffer);
    const text = new TextDecoder().decode(buffer.subarray(0, length ?? 0));
    return length === null ? "gone" : text.slice(text.indexOf("\r\n\r\n") + 4).split(" ")[0]!;
  } catch {
    return "gone";
  }
}

for await (const _ of Deno.stdin.readable) {
  await Deno.stdout.write(new TextEncoder().encode(`${(await Promise.all(connections.map(ask))).join()}\n`));
}
