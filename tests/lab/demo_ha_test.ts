/** The demo of a pair as a user runs it, without a terminal: by lines that it prints and names that it answers. */
import { assert, assertEquals } from "../assert.ts";
import { denoCommand, LAB_NEEDS } from "./netns.ts";
import { labTest } from "./tools.ts";

/** A running demo, and what it has printed. */
class Demo {
  readonly #child: Deno.ChildProcess;
  readonly #lines: AsyncGenerator<string>;

  constructor() {
    const [command, ...args] = denoCommand("demo_ha.ts");
    this.#child = new Deno.Command(command!, { args, stdin: "null", stdout: "piped", stderr: "inherit" })
      .spawn();
    this.#lines = lines(this.#child.stdout);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Reads on to the first line that is so. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) throw new Error(`The demo ended without ${pattern}`);
      const found = pattern.exec(value);
      if (found !== null) return found;
    }
  }

  /** Its end after a signal. */
  async end(signal: Deno.Signal): Promise<Deno.CommandStatus> {
    this.#child.kill(signal);
    while (!(await this.#lines.next()).done);
    return await this.#child.status;
  }
}

async function* lines(bytes: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of bytes) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop()!;
    yield* parts;
  }
}

/** Namespaces and directories of a demo, by its process. */
async function remains(pid: number): Promise<string[]> {
  const { stdout } = await new Deno.Command("ip", { args: ["netns", "list"] }).output();
  const temporary = [...Deno.readDirSync(Deno.env.get("TMPDIR") || "/tmp")].map(({ name }) => name);
  return [...new TextDecoder().decode(stdout).split("\n"), ...temporary]
    .filter((name) => name.startsWith(`tandem-demo-${pid}-`));
}

labTest(
  "demo:ha() shows the other node answer after a kill; an end or the next demo takes everything down",
  LAB_NEEDS,
  async () => {
    const killed = new Demo();
    const [, url] = await killed.until(/(http:\S+)\/NAME/);
    await killed.until(/^held by lb1 +answers lb1 .* lb1 active +lb2 backup$/);
    const answer = await fetch(`${url}/kill`, { method: "POST" });
    assert((await answer.text()).startsWith("killed the keeper of lb1"));
    await killed.until(/^held by lb2 +answers lb2 .* lb1 silent +lb2 active$/);
    assertEquals((await killed.end("SIGKILL")).signal, "SIGKILL");
    assert((await remains(killed.pid)).length > 0);

    const next = new Demo();
    await next.until(new RegExp(`an earlier demo left.* tandem-demo-${killed.pid}-lb2`));
    await next.until(/^Starting/);
    assertEquals(await remains(killed.pid), []);
    // Broken off in the middle of its start.
    assertEquals((await next.end("SIGINT")).code, 0);
    assertEquals(await remains(next.pid), []);
  },
);
