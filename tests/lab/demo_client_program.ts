/**
 * The client of the demo: asks the address at a steady rate, each time on a new connection, and tells every second
 * how it fared, as one line of JSON. A line on its input begins the counts anew; the end of its input ends it.
 */
import type { ClientReport } from "./demo_line.ts";

const [vip = ""] = Deno.args;
const RATE = 50;
/** Less than TCP's first retransmission of a SYN, 1 s: a request that met a gap has failed. */
const PATIENCE_MS = 500;
const client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });

let answered: Record<string, number> = {};
let failed = 0;
let longestGapMs = 0;
let lastAnswer = performance.now();
/** What was asked before it does not count. */
let countedFrom = performance.now();

async function ask(): Promise<void> {
  const askedAt = performance.now();
  try {
    const response = await fetch(`http://${vip}/`, { client, signal: AbortSignal.timeout(PATIENCE_MS) });
    const node = await response.text();
    if (!response.ok) throw new Error(`status ${response.status}`);
    answered[node] = (answered[node] ?? 0) + 1;
    noteGap();
    lastAnswer = performance.now();
  } catch {
    if (askedAt >= countedFrom) failed++;
  }
}

function noteGap(): void {
  longestGapMs = Math.max(longestGapMs, performance.now() - lastAnswer);
}

/** The kernel's neighbour table as text: address, type, flags, hardware address, mask, device. */
function neighbour(): string | null {
  const rows = Deno.readTextFileSync("/proc/net/arp").split("\n").map((line) => line.split(/\s+/));
  const hardware = rows.find(([address]) => address === vip)?.[3];
  return hardware === undefined || hardware === "00:00:00:00:00:00" ? null : hardware;
}

function report(): void {
  noteGap();
  const told: ClientReport = { answered, failed, longestGapMs, hardware: neighbour() };
  console.log(JSON.stringify(told));
  answered = {};
}

// Ctrl-C at the terminal reaches the whole group; the end of the demo is told by the end of the input.
Deno.addSignalListener("SIGINT", () => {});
setInterval(ask, 1000 / RATE);
setInterval(report, 1000);
for await (const _ of Deno.stdin.readable) {
  failed = 0;
  longestGapMs = 0;
  lastAnswer = countedFrom = performance.now();
}
Deno.exit(0);
