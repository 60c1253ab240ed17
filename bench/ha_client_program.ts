/**
 * The client of the election's benchmark: a new connection for every request, at a steady rate, until its standard
 * input ends. Then it prints one JSON list of what became of each: when it began, and who answered ("": nobody).
 */
const [host = "", rate = "200", limit = "500"] = Deno.args;
const REQUEST = new TextEncoder().encode(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
const results: { at: number; by: string }[] = [];
const pending = new Set<Promise<void>>();

async function answer(signal: AbortSignal): Promise<string> {
  using connection = await Deno.connect({ hostname: host, port: 80, signal } as Deno.ConnectOptions);
  const close = () => connection.close();
  signal.addEventListener("abort", close);
  try {
    await connection.write(REQUEST);
    const text = await new Response(connection.readable, {}).text();
    return /^HTTP\/1\.1 200 .*\r\n\r\n(?:[0-9a-f]+\r\n)?(\w+)/s.exec(text)?.[1] ?? "";
  } finally {
    signal.removeEventListener("abort", close);
  }
}

async function request(): Promise<void> {
  const at = performance.timeOrigin + performance.now();
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), Number(limit));
  const late = new Promise<string>((resolve) =>
    controller.signal.addEventListener("abort", () => resolve(""))
  );
  const by = await Promise.race([answer(controller.signal).catch(() => ""), late]);
  clearTimeout(timer);
  results.push({ at, by });
}

const startedAt = performance.now();
let asked = 0;
const ticks = setInterval(() => {
  const due = Math.floor((performance.now() - startedAt) * Number(rate) / 1000);
  for (; asked < due; asked++) {
    const one: Promise<void> = request().finally(() => pending.delete(one));
    pending.add(one);
  }
}, 5);
for await (const _ of Deno.stdin.readable);
clearInterval(ticks);
await Promise.all(pending);
console.log(JSON.stringify(results));
Deno.exit();
