/** A backend that answers every request on port 9000 with its first argument. */
const [name = ""] = Deno.args;
Deno.serve({ hostname: "0.0.0.0", port: 9000, onListen() {} }, () => new Response(name));
