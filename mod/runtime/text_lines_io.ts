/**
 * The lines that a child writes, as text: bounded in length and in speed. A child that writes more waits, so that reading
 * it costs no more than that.
 */

/** What is longer is cut. */
const LINE_BYTES = 8 * 1024;
/** Bytes that are read in a window of time; the pipe holds 64 KiB more. */
const WINDOW_BYTES = 256 * 1024;
const WINDOW_MS = 1000;

/** Calls back for every line until the end; never rejects. */
export async function readTextLines(
  readable: ReadableStream<Uint8Array<ArrayBuffer>>,
  onLine: (line: string) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  let held = "";
  let windowEnd = 0, left = WINDOW_BYTES;
  try {
    for await (const chunk of readable) {
      held += decoder.decode(chunk, { stream: true });
      const lines = held.split("\n");
      held = lines.pop()!.slice(0, LINE_BYTES);
      for (const line of lines) if (line !== "") onLine(line.slice(0, LINE_BYTES));
      const now = performance.now();
      if (now >= windowEnd) [windowEnd, left] = [now + WINDOW_MS, WINDOW_BYTES];
      left -= chunk.length;
      if (left <= 0) await new Promise((done) => setTimeout(done, windowEnd - now));
    }
  } catch {
    // The child ended in the middle of it.
  }
  if (held !== "") onLine(held);
}
