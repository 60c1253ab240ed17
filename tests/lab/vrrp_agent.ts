/** The test's side of `vrrp_agent_program.ts`: one call is one line out and one reply back; events are kept. */
import type { Lab } from "./netns.ts";

interface Line extends Record<string, unknown> {
  readonly event?: string;
  readonly reply?: unknown;
}

export class Agent implements AsyncDisposable {
  readonly events: Line[] = [];
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;
  readonly #replies: ((value: unknown) => void)[] = [];
  #notify: () => void = () => {};

  constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#input = child.stdin.getWriter();
    this.#reading = this.#read();
  }

  static async start(lab: Lab, name: string): Promise<Agent> {
    const agent = new Agent(lab.deno(name, "vrrp_agent_program.ts"));
    await agent.event((line) => line.event === "ready");
    return agent;
  }

  get pid(): number {
    return this.#child.pid;
  }

  async call(op: string, parameters: object = {}): Promise<unknown> {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.#replies.push(resolve);
    await this.#input.write(new TextEncoder().encode(JSON.stringify({ op, ...parameters }) + "\n"));
    return await promise;
  }

  /** The first event that fits, past or to come. */
  async event(fits: (line: Line) => boolean): Promise<Line> {
    for (;;) {
      const found = this.events.find(fits);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#notify = resolve);
    }
  }

  signal(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.#child.status;
    await this.#reading;
    await this.#input.abort().catch(() => undefined);
  }

  async #read(): Promise<void> {
    let text = "";
    for await (const chunk of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
        const line: Line = JSON.parse(text.slice(0, end));
        text = text.slice(end + 1);
        if (line.event === undefined) this.#replies.shift()?.(line.reply);
        else this.events.push(line);
        this.#notify();
      }
    }
  }
}

/** Asks again until the answer fits; the test's own deadline ends it. */
export async function until<T>(ask: () => Promise<T>, fits: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await ask();
    if (fits(value)) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
