/** Reads the body of a request to one of the admin's HTTP servers. */
import type { IncomingMessage } from "node:http";

/** All of it; null: it has more than `most` bytes. Rejects when the other end breaks off. */
export async function incomingBody(incoming: IncomingMessage, most: number): Promise<ArrayBuffer | null> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for await (const chunk of incoming) {
    length += chunk.length;
    if (length > most) return null;
    chunks.push(chunk);
  }
  return await new Blob(chunks).arrayBuffer();
}
