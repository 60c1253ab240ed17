/**
 * Opens and aborts connections over TLS at every stage, both ends in memory, and says by how many bytes a connection
 * the library's memory has grown since the warm-up; where a collection of garbage frees things, one runs before it is
 * looked at.
 *
 *   deno run -A --v8-flags=--expose-gc tests/net/tls_leak_program.ts DIRECTORY ROUNDS
 */
import { BufferPool } from "../../mod/net/buffers.ts";
import { makeTlsEngine, newTicketKeys } from "../../mod/net/tls_engine_io.ts";
import type { Certificates } from "./openssl.ts";
import { End, listenerTerms, pass, poolTerms } from "./tls_pair.ts";

const [directory, count] = Deno.args;
const rounds = Number(count);
const made = { text: (name: string) => Deno.readTextFileSync(`${directory}/${name}`) } as Certificates;
const { acceptor, connector } = makeTlsEngine({ buffers: new BufferPool(), ticketKeys: newTicketKeys() });
const ca = made.text("authority.pem");
const shown = { cert: made.text("client.pem"), key: made.text("client.key") };
const clientAuth = { mode: "required", ca } as const;

const terms = listenerTerms(made, ["shop", "api"], { strictSni: true });
const open = acceptor(terms);
const guarded = acceptor({ ...terms, clientAuth });
const resuming = connector(poolTerms(ca));
const known = connector(poolTerms(ca, { clientCertificate: shown }), false);
const unknown = connector(poolTerms(ca), false);
const stranger = connector(poolTerms(made.text("client.pem")), false);

/** One connection: `flights` until it is given up, and then what `more` does. */
function connect(pool = unknown, listener = open, flights = Infinity, name = "api.test"): [End, End] {
  const client = new End((events) => pool.open("127.0.0.1", 443, name, events));
  const server = new End((events) => listener.open(events));
  pass(client, server, flights);
  return [client, server];
}

function talk([client, server]: [End, End]): [End, End] {
  client.say("question");
  pass(client, server);
  server.say("answer".repeat(10_000));
  pass(client, server);
  return [client, server];
}

const STAGES: Record<string, () => [End, End]> = {
  "before a byte": () => connect(unknown, open, 0),
  "in the ClientHello": () => {
    const [client, server] = connect(unknown, open, 0);
    server.codec.receive(client.sent[0]!.subarray(0, 100));
    return [client, server];
  },
  "after the ClientHello": () => connect(unknown, open, 1),
  "after the server's flight": () => connect(unknown, open, 2),
  "after the handshake": () => connect(),
  "after a talk": () => talk(connect()),
  "in a record": () => {
    const [client, server] = talk(connect());
    client.say("question");
    server.codec.receive(client.sent[0]!.subarray(0, 10));
    return [client, server];
  },
  "after the end of one": () => {
    const [client, server] = talk(connect());
    client.codec.end();
    pass(client, server);
    return [client, server];
  },
  "taken up again": () => talk(connect(resuming)),
  "with a client's certificate": () => talk(connect(known, guarded)),
  "refused for want of a certificate": () => connect(unknown, guarded),
  "refused for its name": () => connect(unknown, open, Infinity, "x.test"),
  "refused for its authority": () => connect(stranger),
  "refused for garbage": () => {
    const [client, server] = connect(unknown, open, 0);
    server.codec.receive(new Uint8Array([22, 3, 1, 0, 5, 9, 9, 9, 9, 9]));
    return [client, server];
  },
  "after a reload": () => connect(connector(poolTerms(ca)), acceptor({ ...terms, clientAuth }), 1),
};

const libc = Deno.dlopen("libc.so.6", {
  mallinfo2: { parameters: [], result: { struct: Array(10).fill("usize") } },
  malloc_trim: { parameters: ["usize"], result: "i32" },
});
/** Place of what is in use (`uordblks`) in `struct mallinfo2`. */
const IN_USE = 7;

/** Bytes of C's memory in use. */
async function inUse(): Promise<number> {
  // What is collected is freed in a later turn, and what that held in the one after.
  for (let turn = 0; turn < 3; turn++) {
    (globalThis as unknown as { gc(): void }).gc();
    await new Promise((done) => setTimeout(done, 1));
  }
  return Number(new BigUint64Array(libc.symbols.mallinfo2().buffer)[IN_USE]);
}

function run(stage: () => [End, End], times: number): void {
  for (let round = 0; round < times; round++) for (const end of stage()) end.codec.destroy();
}

const grown: Record<string, number> = {};
// Buffers are kept once they are made, whoever wanted them.
for (const stage of Object.values(STAGES)) run(stage, 2);
for (const [name, stage] of Object.entries(STAGES)) {
  // The lesser of two: what is compiled meanwhile takes memory too, once.
  const measured: number[] = [];
  for (let turn = 0; turn < 2; turn++) {
    const before = await inUse();
    run(stage, rounds);
    measured.push((await inUse() - before) / rounds);
  }
  grown[name] = Math.round(Math.min(...measured));
}
console.log(JSON.stringify(grown));
