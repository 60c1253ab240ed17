/**
 * Runs in a node's namespace and does what a test tells it: JSON lines in, JSON lines out.
 *
 * A node holds virtual addresses with the product's own edges and says who it is on a TCP port; a client asks who
 * answers there. A line is `{ op, … }`, its answer `{ reply }`; what happens by itself is `{ event, … }`.
 */
import { formatIp, parseIp } from "../../mod/base/address.ts";
import { openLibc } from "../../mod/base/libc_io.ts";
import { ipWriter, netlinkWriter } from "../../vrrp/address_writer_io.ts";
import { Announcer } from "../../vrrp/announce_io.ts";
import { LinkWatch } from "../../vrrp/link_io.ts";
import { Poller } from "../../vrrp/poll_io.ts";
import { renewIntervalMs, type Vip } from "../../vrrp/vip.ts";
import { VipHolder } from "../../vrrp/vip_io.ts";

const ASK_TIMEOUT_MS = 1000;
const PORT = 7777;

const say = (message: unknown) =>
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(message) + "\n"));
const { libc } = openLibc();
const poller = new Poller(libc, (error) => say({ event: "error", message: error.message }));
let holder: VipHolder | null = null;
let vips: Vip[] = [];

const watch = new LinkWatch(libc, poller, {
  onLink: ({ name, running }) => say({ event: "link", name, running }),
  onAddressGone: async (message) => {
    const lost = (await holder?.notice(message))?.lost ?? [];
    if (lost.length > 0) say({ event: "lost", lost: lost.map(({ address }) => formatIp(address)) });
  },
});

/** `ADDRESS/PREFIX` as a Vip. */
function vip(text: string): Vip {
  const [address, prefix] = text.split("/");
  return { address: parseIp(address!)!, prefix: Number(prefix) };
}

/** Who answers on an address; the error's name when nobody does. */
async function ask(hostname: string): Promise<string> {
  try {
    const signal = AbortSignal.timeout(ASK_TIMEOUT_MS);
    using connection = await Deno.connect({ hostname, port: PORT, signal });
    const buffer = new Uint8Array(64);
    const length = await connection.read(buffer);
    return new TextDecoder().decode(buffer.subarray(0, length ?? 0));
  } catch (error) {
    return error instanceof Error ? error.name : "unknown";
  }
}

async function answer(name: string): Promise<void> {
  for await (const connection of Deno.listen({ hostname: "::", port: PORT })) {
    await connection.write(new TextEncoder().encode(name)).catch(() => undefined);
    connection.close();
  }
}

/** Sets a kernel setting as the keeper's executor does. */
function setSysctl(name: string, value: string): string | null {
  const path = "/proc/sys/" + name.replace(/[./]/g, (mark) => mark === "." ? "/" : ".");
  Deno.writeTextFileSync(path, value);
  return null;
}

/** The next frames of one EtherType that reach eth0, as hexadecimal digits, until there are `count`. */
function sniff(etherType: number, count: number): Promise<string[]> {
  const [AF_PACKET, SOCK_RAW, MSG_DONTWAIT] = [17, 3, 0x40];
  const fd = libc.socket(AF_PACKET, SOCK_RAW, (etherType & 0xff) << 8 | etherType >> 8);
  const buffer = new Uint8Array(2048);
  const frames: string[] = [];
  return new Promise((resolve) =>
    poller.add(fd, () => {
      for (;;) {
        const length = libc.recv(fd, buffer, 2048n, MSG_DONTWAIT);
        if (length < 0) return;
        frames.push(buffer.subarray(0, length).toHex());
        if (frames.length < count) continue;
        poller.remove(fd);
        libc.close(fd);
        return resolve(frames);
      }
    })
  );
}

let sniffed: Promise<string[]> = Promise.resolve([]);

type Command = Record<string, unknown> & { op: string };

const OPERATIONS: Record<string, (command: Command) => unknown> = {
  sniff: ({ etherType, count }) => void (sniffed = sniff(Number(etherType), Number(count))),
  sniffed: () => sniffed,
  serve: ({ name }) => void answer(String(name)),
  ask: ({ host }) => ask(String(host)),
  hold: ({ addresses, leaseSeconds, via, protect }) => {
    vips = (addresses as string[]).map(vip);
    const writer = via === "ip"
      ? ipWriter((args) =>
        new Deno.Command("ip", { args, stdin: "piped", stdout: "piped", stderr: "piped" }).spawn()
      )
      : netlinkWriter(watch.requests);
    const options = {
      device: "eth0",
      vips,
      leaseSeconds: Number(leaseSeconds),
      writer,
      now: () => performance.now(),
    };
    holder = new VipHolder(protect === true ? { ...options, setSysctl } : options);
  },
  add: () => holder!.add(),
  remove: () => holder!.remove(),
  renew: () => holder!.renew(),
  leftovers: () =>
    holder!.removeLeftovers().then(({ found }) => found.map(({ address }) => formatIp(address))),
  keep: ({ leaseSeconds }) => void setInterval(() => holder!.renew(), renewIntervalMs(Number(leaseSeconds))),
  announce: () => {
    let announcer: Announcer;
    try {
      announcer = new Announcer(libc);
    } catch (error) {
      return [error instanceof Error ? error.message : "unknown"];
    }
    const problems = announcer.announce(watch.find("eth0")!, vips.map(({ address }) => address));
    announcer.close();
    return problems;
  },
};

say({ event: "ready" });
let text = "";
for await (const chunk of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  text += chunk;
  for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
    const command: Command = JSON.parse(text.slice(0, end));
    text = text.slice(end + 1);
    say({ reply: await OPERATIONS[command.op]!(command) ?? null });
  }
}
