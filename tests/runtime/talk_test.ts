import { MAX_ASKED, Talk, type TalkMessage } from "../../mod/runtime/talk.ts";
import { assertEquals, assertRejects } from "../assert.ts";

interface Side {
  readonly talk: Talk;
  readonly sent: TalkMessage[];
  readonly timers: (() => void)[];
}

function side(answer: (question: unknown) => Promise<unknown> = () => Promise.resolve("?")): Side {
  const sent: TalkMessage[] = [];
  const timers: (() => void)[] = [];
  const after = (_ms: number, call: () => void) => {
    timers.push(call);
    return () => {};
  };
  return { talk: new Talk({ send: (message) => sent.push(message), answer, after }), sent, timers };
}

/** Hands over what was sent. */
function pass({ sent }: Side, { talk }: Side): void {
  for (const message of sent.splice(0)) talk.onMessage(message);
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

Deno.test("ask() questions of both sides find their answers, however long and in whatever order", async () => {
  const long = "x".repeat(100_000);
  const late = Promise.withResolvers<string>();
  const [left, right] = [
    side((question) => Promise.resolve([question])),
    side((question) => question === "late" ? late.promise : Promise.resolve(question)),
  ];
  const answers = [left.talk.ask("late", 1), left.talk.ask(long, 1), right.talk.ask({ a: 1 }, 1)];
  pass(left, right);
  pass(right, left);
  await turn();
  late.resolve("at last");
  await turn();
  pass(left, right);
  pass(right, left);
  assertEquals(await Promise.all(answers), ["at last", long, [{ a: 1 }]]);
});

Deno.test("ask() rejects with what went wrong on the other side, after its time, and at its end", async () => {
  const [left, right] = [side(), side(() => Promise.reject(new Error("no such thing")))];
  const failing = left.talk.ask(1, 2000);
  pass(left, right);
  await turn();
  pass(right, left);
  await assertRejects(() => failing, Error, "no such thing");
  const late = left.talk.ask(2, 2000);
  left.timers.at(-1)!();
  await assertRejects(() => late, Error, "no answer within 2 s");
  const cut = left.talk.ask(3, 2000);
  left.talk.end("it has ended");
  await assertRejects(() => cut, Error, "it has ended");
});

Deno.test("ask() refuses more questions than may be under way, on either side", async () => {
  const [left, right] = [side(), side(() => new Promise(() => {}))];
  for (let at = 0; at < MAX_ASKED; at++) left.talk.ask(at, 1).catch(() => {});
  await assertRejects(() => left.talk.ask("one more", 1), Error, "too many questions");
  pass(left, right);
  right.talk.onMessage({ kind: "ask", id: 999, part: 0, parts: 1, text: '{"question":1}' });
  await turn();
  assertEquals(right.sent.map(({ id, text }) => [id, text]), [[
    999,
    '{"problem":"too many questions are under way"}',
  ]]);
});

Deno.test("onMessage() passes over what is no message of a talk", () => {
  const { talk, sent } = side();
  for (const text of ["{", "null", "7"]) talk.onMessage({ kind: "answer", id: 1, part: 0, parts: 1, text });
  talk.onMessage({ kind: "ask", id: 1, part: 1, parts: 2, text: "" });
  assertEquals(sent, []);
});
