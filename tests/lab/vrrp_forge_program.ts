/**
 * Sends packets of protocol 112 that no honest speaker sends, from a namespace's eth0: JSON lines in, one packet each.
 *
 * IPv4 comes with its header, so that everything in it can be wrong; of IPv6 the hop limit can be chosen.
 */
import { parseIp } from "../../mod/base/address.ts";
import { openLibc } from "../../mod/base/libc_io.ts";
import { openRawSocket } from "../../vrrp/socket_io.ts";

interface Forged {
  readonly to: string;
  readonly hex: string;
  /** IPv6. */
  readonly hopLimit?: number;
}

const [AF_INET, AF_INET6, IPPROTO_RAW, VRRP, IPPROTO_IPV6, IPV6_MULTICAST_HOPS] = [2, 10, 255, 112, 41, 18];
const { libc } = openLibc();
const index = Number(Deno.args[0]);

function send({ to, hex, hopLimit = 255 }: Forged): number {
  const bytes = Uint8Array.fromHex(hex);
  const address = parseIp(to)!;
  const six = address.length === 16;
  const fd = six
    ? openRawSocket(libc, AF_INET6, VRRP, "eth0", [[IPPROTO_IPV6, IPV6_MULTICAST_HOPS, hopLimit]])
    : openRawSocket(libc, AF_INET, IPPROTO_RAW, "eth0", []);
  const socket = new Uint8Array(six ? 28 : 16);
  socket[0] = six ? AF_INET6 : AF_INET;
  socket.set(address, six ? 8 : 4);
  if (six) socket[24] = index;
  const sent = libc.sendto(fd, bytes, BigInt(bytes.length), 0, socket, socket.length);
  libc.close(fd);
  return sent;
}

let text = "";
for await (const chunk of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  text += chunk;
  for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
    const sent = send(JSON.parse(text.slice(0, end)));
    if (sent < 0) throw new Error("Cannot send a forged packet");
    text = text.slice(end + 1);
  }
}
