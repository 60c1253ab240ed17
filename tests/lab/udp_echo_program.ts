/** Sends every datagram on a port back to its sender, and says when it begins. */
const socket = Deno.listenDatagram({ transport: "udp", hostname: "0.0.0.0", port: Number(Deno.args[0]) });
console.log("ready");
for await (const [data, from] of socket) await socket.send(data, from);
