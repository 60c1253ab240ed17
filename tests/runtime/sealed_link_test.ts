import { MAX_FRAME_BYTES, SealedLink, type SharedKey } from "../../mod/runtime/sealed_link_io.ts";
import { assertEquals, assertRejects } from "../assert.ts";

const KEY: SharedKey = { id: 7, secret: new TextEncoder().encode("a secret of sixteen") };
const OTHER: SharedKey = { id: 7, secret: new TextEncoder().encode("another of as many") };

/** Both ends of a connection; `between` may change what the first sends. */
async function withEnds(
  use: (one: Deno.Conn, other: Deno.Conn) => Promise<void>,
): Promise<void> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const [one, other] = await Promise.all([Deno.connect({ hostname: "127.0.0.1", port }), listener.accept()]);
  try {
    await use(one, other);
  } finally {
    for (const conn of [one, other]) conn.close();
  }
}

Deno.test("SealedLink() carries texts both ways between nodes that share a key, by its id", async () => {
  await withEnds(async (one, other) => {
    const more = { id: 8, secret: OTHER.secret };
    const [begun, answered] = await Promise.all([
      SealedLink.open(one, KEY),
      SealedLink.accept(other, [more, KEY]),
    ]);
    for (const text of ["", "hello", "ö".repeat(100_000)]) {
      await Promise.all([begun.send(text), answered.receive().then((read) => assertEquals(read, text))]);
      await Promise.all([answered.send(text), begun.receive().then((read) => assertEquals(read, text))]);
    }
    await assertRejects(() => begun.send("x".repeat(MAX_FRAME_BYTES)), Error, "too long");
  });
});

Deno.test("SealedLink() refuses another secret, an unknown key, and what is no node", async () => {
  await withEnds(async (one, other) => {
    const [begun, answered] = await Promise.all([
      SealedLink.open(one, KEY),
      SealedLink.accept(other, [OTHER]),
    ]);
    await begun.send("hello");
    await assertRejects(() => answered.receive(), Error, "another secret");
  });
  await withEnds(async (one, other) => {
    void SealedLink.open(one, { ...KEY, id: 9 }).catch(() => {});
    await assertRejects(() => SealedLink.accept(other, [KEY]), Error, "does not have");
    other.closeWrite();
  });
  await withEnds(async (one, other) => {
    await one.write(
      new TextEncoder().encode(
        "GET / HTTP/1.1\r\nHost: somebody.who.looks.around.example.com\r\nUser: x\r\n\r\n",
      ),
    );
    await assertRejects(() => SealedLink.accept(other, [KEY]), Error, "no node");
  });
  await withEnds(async (one, other) => {
    await one.write(Uint8Array.from([...new TextEncoder().encode("TNDM\x01\x07"), ...new Uint8Array(65)]));
    await assertRejects(() => SealedLink.accept(other, [KEY]));
  });
});

/** Passes bytes on from one connection to the next, changed. */
async function relay(from: Deno.Conn, to: Deno.Conn, change: (bytes: Uint8Array, at: number) => void) {
  const buffer = new Uint8Array(64 * 1024);
  let at = 0;
  for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
    const bytes = buffer.slice(0, count);
    change(bytes, at);
    at += count;
    await to.write(bytes).catch(() => {});
  }
}

Deno.test("SealedLink() notices a single bit that somebody in between has changed, wherever", async () => {
  const helloBytes = 5 + 1 + 65;
  for (const spot of [0, 5, 20, helloBytes, helloBytes + 4, helloBytes + 10, helloBytes + 24]) {
    await withEnds(async (one, middle) => {
      await withEnds(async (next, other) => {
        const flip = (bytes: Uint8Array, at: number) => {
          if (spot >= at && spot < at + bytes.length) bytes[spot - at]! ^= 1;
        };
        const relays = [relay(middle, next, flip), relay(next, middle, () => {})];
        const begun = SealedLink.open(one, KEY).then(async (link) => {
          await link.send("hello");
          one.closeWrite();
        }).catch(() => {});
        await assertRejects(async () => {
          const link = await SealedLink.accept(other, [KEY]);
          const text = await link.receive();
          throw text === "hello" ? null : new Error("changed");
        }, Error);
        for (const conn of [other, one]) conn.closeWrite().catch(() => {});
        middle.closeWrite().catch(() => {});
        next.closeWrite().catch(() => {});
        await begun;
        await Promise.allSettled(relays);
      });
    });
  }
});
