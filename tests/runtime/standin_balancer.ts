/** A balancer that balances nothing: it speaks the link, and its configuration says how it behaves. */
import { rejectedMessage, TO_BALANCER, type ToKeeper } from "../../mod/runtime/link.ts";
import { LinkWriter, readLink } from "../../mod/runtime/link_io.ts";
import { Assembler } from "../../mod/runtime/parts.ts";

const link = new LinkWriter<ToKeeper>(Deno.stdout.writable);
const assembler = new Assembler();
let sequence = 0;
let drainsForMs = 0;
setInterval(() => link.send({ kind: "heartbeat", sequence: sequence++, lagMs: 0 }), 200);
Deno.addSignalListener("SIGINT", () => {});

function apply(generation: number, text: string): void {
  if (text.includes("refuse")) link.send(rejectedMessage(generation, ["listener `web` cannot bind"]));
  else if (text.includes("crash")) Deno.exit(7);
  else {
    link.send({ kind: "ready", generation });
    link.send({ kind: "health", pools: [] });
    if (text.includes("slow")) drainsForMs = 300;
    if (text.includes("nonsense")) console.log("a line of a library\n".repeat(6));
    if (text.includes("probe")) {
      link.send({ kind: "probe", id: 1, pool: "app", server: "one", host: "127.0.0.1", port: 80 });
      link.send({ kind: "probe", id: 2, pool: "other", server: "one", host: "127.0.0.1", port: 80 });
    }
  }
}

await readLink(Deno.stdin.readable, TO_BALANCER, (decoded) => {
  if (decoded.kind === "malformed") throw new Error(decoded.reason);
  const { message } = decoded;
  if (message.kind === "hello") console.error(`hello exclusive=${message.exclusive}`);
  if (message.kind === "files") console.error(`files of ${message.text.length}`);
  if (message.kind === "carried") console.error(`carried ${message.text}`);
  if (message.kind === "carry") link.send({ kind: "carried", part: 0, parts: 1, text: "what it knew" });
  if (message.kind === "probeResult") console.error(`probe ${message.id} ${message.ok} ${message.reason}`);
  if (message.kind === "drain") {
    console.error(`draining ${message.deadlineMs}${message.replaced === true ? " replaced" : ""}`);
    setTimeout(() => {
      console.error("drained");
      Deno.exit(0);
    }, drainsForMs);
  }
  if (message.kind !== "config") return;
  const { generation } = message;
  const whole = assembler.add(generation, message);
  if (whole !== null && "text" in whole) apply(generation, whole.text);
});
console.error("stdin ended");
Deno.exit(0);
