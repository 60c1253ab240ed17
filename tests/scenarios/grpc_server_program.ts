/** A gRPC server; prints its port. */
import {
  type handleBidiStreamingCall,
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  Server,
  ServerCredentials,
} from "@grpc/grpc-js";
import { ECHO } from "./grpc_service.ts";

const say: handleUnaryCall<string, string> = (call, done) => {
  const meta = call.metadata.get("x-tandem-test").join();
  done(null, `said ${call.request}${meta === "" ? "" : ` (${meta})`}`);
};
const many: handleServerStreamingCall<string, string> = (call) => {
  for (let i = 0; i < 5; i++) call.write(`${call.request} ${i}`);
  call.end();
};
const sum: handleClientStreamingCall<string, string> = (call, done) => {
  let size = 0;
  call.on("data", (text: string) => size += text.length);
  call.on("end", () => done(null, String(size)));
};
const chat: handleBidiStreamingCall<string, string> = (call) => {
  call.on("data", (text: string) => call.write(`re ${text}`));
  call.on("end", () => call.end());
};
const fail: handleUnaryCall<string, string> = (_, done) => done({ code: 9, details: "not today" });
const never: handleUnaryCall<string, string> = () => {};

const server = new Server();
server.addService(ECHO, { say, many, sum, chat, fail, never });
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  console.log(error === null ? port : error.message);
});
