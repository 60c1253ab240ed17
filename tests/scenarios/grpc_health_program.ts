/** A gRPC server with grpc.health.v1, built by hand, plainly and over TLS; prints both ports. */
import { Buffer } from "node:buffer";
import { Server, ServerCredentials, status } from "@grpc/grpc-js";
import { CERTIFICATE, KEY } from "../health/certificate.ts";

const SERVING = 1;
const NOT_SERVING = 2;
const STATES = new Map([["", SERVING], ["shop.Cart", SERVING], ["shop.Till", NOT_SERVING]]);

interface Request {
  readonly service: string;
}

const server = new Server();
server.addService({
  Check: {
    path: "/grpc.health.v1.Health/Check",
    requestStream: false,
    responseStream: false,
    requestSerialize: ({ service }: Request) => Buffer.from(service),
    // Field 1, a text with its length in one byte.
    requestDeserialize: (bytes: Uint8Array): Request => ({
      service: new TextDecoder().decode(bytes.subarray(2)),
    }),
    responseSerialize: (state: number) => Buffer.from([8, state]),
    responseDeserialize: (bytes: Uint8Array) => bytes[1] ?? 0,
  },
}, {
  Check: (call: { request: Request }, done: (error: object | null, state?: number) => void) => {
    const state = STATES.get(call.request.service);
    if (state === undefined) done({ code: status.NOT_FOUND, details: "unknown service" });
    else done(null, state);
  },
});
const pair = { cert_chain: Buffer.from(CERTIFICATE), private_key: Buffer.from(KEY) };
const ports: number[] = [];
for (
  const credentials of [
    ServerCredentials.createInsecure(),
    ServerCredentials.createSsl(Buffer.from(CERTIFICATE), [pair]),
  ]
) {
  ports.push(
    await new Promise<number>((resolve, reject) =>
      server.bindAsync(
        "127.0.0.1:0",
        credentials,
        (error, port) => error === null ? resolve(port) : reject(error),
      )
    ),
  );
}
console.log(ports.join(" "));
