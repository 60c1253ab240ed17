/** Sends a datagram to a host and port, and prints what comes back. */
const [hostname = "", port = "", text = ""] = Deno.args;
const socket = Deno.listenDatagram({ transport: "udp", hostname: "0.0.0.0", port: 0 });
await socket.send(new TextEncoder().encode(text), { transport: "udp", hostname, port: Number(port) });
const [data] = await socket.receive();
console.log(new TextDecoder().decode(data));
Deno.exit();
