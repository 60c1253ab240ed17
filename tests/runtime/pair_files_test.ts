import { compare, fitting } from "../../mod/runtime/file_exchange.ts";
import { PairFiles } from "../../mod/runtime/pair_files_io.ts";
import { type PairFacts, PairLine } from "../../mod/runtime/pair_line_io.ts";
import { StoredFiles } from "../../mod/runtime/stored_files_io.ts";
import type { Log } from "../../mod/observe/log.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";

const secret = (text: string) => new TextEncoder().encode(text);
const KEYS = [{ id: 1, secret: secret("a secret of the pair") }];

/** Tells of every failure, not once a minute. */
class FrankLine extends PairLine {
  onFailure = () => {};

  override complain(what: string, who: string, error: unknown): void {
    super.complain(what, who, error);
    this.onFailure();
  }
}

/** One node: its files, its end of the exchange, its words. */
class SharingNode {
  readonly files = new StoredFiles();
  readonly words: string[] = [];
  now = 0;
  failures = 0;
  #arrived = Promise.withResolvers<void>();
  readonly line: FrankLine;
  readonly pair: PairFiles;

  constructor(readonly address: string, readonly directory: string, readonly port: number) {
    this.files.directory = `${directory}/acme`;
    const note = (message: string, fields?: Record<string, unknown>) => {
      this.words.push(`${message} ${JSON.stringify(fields)}`);
      this.#arrived.resolve();
    };
    const log = { info: note, warning: note } as unknown as Log;
    this.line = new FrankLine({
      exchange: (first, from) => this.pair.exchange(JSON.parse(first), from)!,
      log,
      port,
    });
    this.line.onFailure = () => {
      this.failures++;
      this.#arrived.resolve();
    };
    this.pair = new PairFiles({
      ...{ files: this.files, line: this.line, log },
      onReceived: () => this.#arrived.resolve(),
      now: () => this.now,
    });
  }

  update(facts: PairFacts): void {
    this.line.update(facts);
    this.pair.update(facts.keys.length === 0 ? [] : facts.peers);
  }

  facts(peers: readonly SharingNode[], keys = KEYS): PairFacts {
    return { local: this.address, keys, peers: peers.map(({ address }) => ({ node: address, address })) };
  }

  async until(holds: () => boolean | Promise<boolean>): Promise<void> {
    while (!await holds()) {
      await this.#arrived.promise;
      this.#arrived = Promise.withResolvers();
    }
  }

  async text(name: string): Promise<string | undefined> {
    return (await this.files.read(name))?.text;
  }
}

/** A port that both addresses have free; nobody else of this machine uses these addresses. */
async function withNodes(use: (one: SharingNode, other: SharingNode) => Promise<void>): Promise<void> {
  const probe = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = probe.addr as Deno.NetAddr;
  probe.close();
  const directories = [Deno.makeTempDirSync(), Deno.makeTempDirSync()];
  const [one, other] = [2, 3].map((last, at) => new SharingNode(`127.81.12.${last}`, directories[at]!, port));
  try {
    await use(one!, other!);
  } finally {
    one!.line.close();
    other!.line.close();
    for (const directory of directories) await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("PairFiles() gives each node the newest of every file, whoever begins, and soon after a change", async () => {
  await withNodes(async (one, other) => {
    await one.files.store("a.test.pem", "of one");
    // With times of their own, as both may be written within one millisecond.
    await one.files.store("both.test.json", "old", 1000);
    await other.files.store("both.test.json", "new", 2000);
    await other.files.store("b.test.pem", "of other");
    one.update(one.facts([]));
    other.update(other.facts([one]));
    await one.until(async () =>
      await one.text("both.test.json") === "new" && await one.text("b.test.pem") === "of other"
    );
    await other.until(async () => await other.text("a.test.pem") === "of one");
    assertEquals([...await one.files.times()].sort(), [...await other.files.times()].sort());
    assertEquals(Deno.statSync(`${one.directory}/acme/b.test.pem`).mode! & 0o777, 0o600);

    one.update(one.facts([other]));
    await one.files.store("a.test.pem", "of one, renewed");
    one.pair.changed();
    await other.until(async () => await other.text("a.test.pem") === "of one, renewed");
  });
});

Deno.test("PairFiles() tries a peer that could not be reached again soon, and then less often", async () => {
  await withNodes(async (one, other) => {
    await one.files.store("a.test.pem", "of one");
    for (const [before, pauseMs] of [1000, 2000, 4000].entries()) {
      one.update(one.facts([other]));
      await one.until(() => one.failures > before);
      one.now += pauseMs - 1;
      one.update(one.facts([other]));
      one.now += 1;
    }
    assertEquals(one.failures, 3);
    other.update(other.facts([]));
    one.update(one.facts([other]));
    await other.until(async () => await other.text("a.test.pem") === "of one");
  });
});

Deno.test("PairFiles() gives nothing to a node with another secret, and says so once", async () => {
  await withNodes(async (one, other) => {
    await one.files.store("a.test.pem", "of one");
    one.update(one.facts([]));
    const foreign = [{ id: 1, secret: secret("another secret of it") }];
    other.update(other.facts([one], foreign));
    await one.until(() => one.words.length > 0);
    await other.until(() => other.words.length > 0);
    other.pair.changed();
    await other.until(() => other.words.length > 0);
    assert(one.words[0]!.includes("another secret"), one.words[0]);
    assertEquals([...await other.files.times()], []);
  });
});

Deno.test("PairFiles() without keys neither listens nor calls", async () => {
  await withNodes(async (one, other) => {
    one.update(one.facts([other], []));
    other.update(other.facts([]));
    const { address: hostname, port } = one;
    await assertRejects(() => Deno.connect({ hostname, port }), Deno.errors.ConnectionRefused);
    assertEquals([one.words, other.words], [[], []]);
  });
});

Deno.test("compare() and fitting() say who lacks what, and how much fits", () => {
  const ours = new Map([["a.pem", 5], ["b.pem", 5], ["c.pem", 5]]);
  const theirs = new Map([["b.pem", 6], ["c.pem", 5], ["d.pem", 1]]);
  assertEquals(compare(ours, theirs), { give: ["a.pem"], want: ["b.pem", "d.pem"] });
  const files = [300_000, 300_000, 100_000].map((size) => ({ text: "x".repeat(size) }));
  assertEquals(fitting(files).map(({ text }) => text.length), [300_000]);
});
