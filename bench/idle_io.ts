/** Thousands of idle keep-alive connections: each asks once, reads the answer and then stays silent. */

/** Connections opened at a time: more would overflow a listener's accept queue and measure that instead. */
const AT_ONCE = 100;

/** Opens `count` connections that have each been answered once. The caller closes them. */
export async function openIdle(port: number, path: string, count: number): Promise<Deno.Conn[]> {
  const request = new TextEncoder().encode(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  const open: Deno.Conn[] = [];
  while (open.length < count) {
    const batch = Array.from({ length: Math.min(AT_ONCE, count - open.length) }, async () => {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port });
      open.push(connection);
      await connection.write(request);
      const status = await readAnswer(connection);
      if (status !== 200) throw new Error(`an idle connection was answered with ${status}`);
    });
    await Promise.all(batch);
  }
  return open;
}

/** Reads one answer with a Content-Length; its status. */
export async function readAnswer(connection: Deno.Conn): Promise<number> {
  const buffer = new Uint8Array(4096);
  let text = "";
  while (true) {
    const end = text.indexOf("\r\n\r\n");
    if (end !== -1) {
      const length = Number(/^content-length: *(\d+)/im.exec(text)?.[1] ?? 0);
      if (text.length >= end + 4 + length) return Number(text.slice(9, 12));
    }
    const size = await connection.read(buffer);
    if (size === null) throw new Error("the connection was closed before an answer");
    text += new TextDecoder("latin1").decode(buffer.subarray(0, size));
  }
}
