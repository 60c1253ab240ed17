/** A small gRPC service without a schema: messages are texts. What the programs of the gRPC scenario share. */
import { Buffer } from "node:buffer";
import { type MethodDefinition, type ServiceDefinition } from "@grpc/grpc-js";

const encode = (text: string) => Buffer.from(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function method(
  name: string,
  requestStream: boolean,
  responseStream: boolean,
): MethodDefinition<string, string> {
  return {
    path: `/tandem.Echo/${name}`,
    requestStream,
    responseStream,
    requestSerialize: encode,
    requestDeserialize: decode,
    responseSerialize: encode,
    responseDeserialize: decode,
  };
}

/** One method of each kind, one that fails and one that never answers. */
export const ECHO: ServiceDefinition = {
  say: method("say", false, false),
  many: method("many", false, true),
  sum: method("sum", true, false),
  chat: method("chat", true, true),
  fail: method("fail", false, false),
  never: method("never", false, false),
};
