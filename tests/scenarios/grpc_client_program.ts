/** Calls every method of the gRPC service at the given address, and prints what came of each as a line of JSON. */
import {
  type Client,
  credentials,
  makeGenericClientConstructor,
  Metadata,
  type ServiceError,
} from "@grpc/grpc-js";
import { ECHO } from "./grpc_service.ts";

const [address = ""] = Deno.args;
// deno-lint-ignore no-explicit-any -- a client without a schema has no types
const client: Client & Record<string, any> = new (makeGenericClientConstructor(ECHO, "Echo"))(
  address,
  credentials.createInsecure(),
);

type Done = (error: ServiceError | null, text?: string) => void;
const outcome = (resolve: (text: string) => void): Done => (error, text) =>
  resolve(error === null ? text! : `${error.code} ${error.details}`);

function once(name: string, ...args: unknown[]): Promise<string> {
  return new Promise((resolve) => client[name](...args, outcome(resolve)));
}

function all(
  call: { on(event: string, handler: (value: string & ServiceError) => void): void },
): Promise<string> {
  return new Promise((resolve) => {
    const texts: string[] = [];
    call.on("data", (text) => texts.push(text));
    call.on("end", () => resolve(texts.join()));
    call.on("error", (error) => resolve(`${error.code} ${error.details}`));
  });
}

const meta = new Metadata();
meta.set("x-tandem-test", "seen");
const say = await once("say", "hello", meta);
const many = await all(client.many("one"));
const sum = await new Promise((resolve) => {
  const call = client.sum(outcome(resolve));
  for (let i = 0; i < 200; i++) call.write("x".repeat(1000));
  call.end();
});
const chat = client.chat();
let turns = 0;
chat.on("data", () => ++turns < 4 ? chat.write(`turn ${turns}`) : chat.end());
const chatted = all(chat);
chat.write("turn 0");
const fail = await once("fail", "this");
const never = (await once("never", "that", { deadline: Date.now() + 300 })).split(" ")[0];
console.log(JSON.stringify({ say, many, sum, chat: await chatted, fail, never }));
client.close();
