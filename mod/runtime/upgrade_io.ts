/**
 * The old keeper's part of an upgrade: starts the new one, tells it what it needs, and lets go of the node once it is
 * sure that the other has it. Whatever fails on the way ends the new one, and this one goes on.
 *
 * It knows the order of things and the other process; what is carried and what letting go means is the port's.
 */
import { reasonOf } from "../base/reason.ts";
import { LinkWriter, readLink } from "./link_io.ts";
import { cut } from "./parts.ts";
import {
  type DocumentName,
  FROM_SUCCESSOR,
  type FromSuccessor,
  PROTOCOL,
  type ToSuccessor,
} from "./upgrade_link.ts";

/** From the start to the first word: code is loaded, perhaps compiled, on a busy machine. */
const HELLO_MS = 15_000;
/** Functions are loaded, names looked up, listeners bound, servers probed; a balancer that fails is tried five times. */
const READY_MS = 120_000;
/** Sockets are opened, no more; meanwhile nothing is decided in this node's elections. */
const TAKEN_MS = 10_000;

export interface UpgradePort {
  /** Starts the new keeper, whose standard input and output are pipes. Throws what the system refuses. */
  start(): Deno.ChildProcess;
  /** What an operator has changed live. */
  carryLive(): string;
  /** What the new balancer is to know. */
  carryBalancer(): Promise<string>;
  /** Whether the function of that name serves here. */
  serves(name: string): boolean;
  /** What the new keeper is to know; from then on it may take the node. Rejects when this is not the moment. */
  letGo(): Promise<string>;
  /** The new keeper is gone: takes the node back. */
  takeBack(): Promise<void>;
}

export type Upgraded = { readonly successor: Successor } | { readonly problem: string };

export async function upgrade(port: UpgradePort, onStart: (successor: Successor) => void): Promise<Upgraded> {
  let successor: Successor | null = null;
  let letGo = false;
  try {
    successor = new Successor(port.start());
    onStart(successor);
    const { protocol, version } = await successor.expect("hello", HELLO_MS);
    if (protocol !== PROTOCOL) {
      throw new Error(
        `tandem ${version} hands over by version ${protocol}, this one by ${PROTOCOL}: restart instead`,
      );
    }
    successor.version = version;
    // Before the other, which is waited for.
    successor.tell("live", port.carryLive());
    successor.tell("balancer", await port.carryBalancer());
    const { broken } = await successor.expect("ready", READY_MS);
    const lost = broken.filter(({ name }) => port.serves(name));
    if (lost.length > 0) throw new Error(lost.map(saysLost).join("; "));
    const document = await port.letGo();
    letGo = true;
    successor.tell("keeper", document);
    await successor.expect("taken", TAKEN_MS);
    return { successor };
  } catch (error) {
    await successor?.kill();
    if (letGo) await port.takeBack();
    return { problem: reasonOf(error) };
  }
}

function saysLost({ name, reason }: { readonly name: string; readonly reason: string }): string {
  return `the new program cannot load function ${name}, which works here: ${reason}`;
}

/** How a process ended. */
type Ended = Awaited<Deno.ChildProcess["status"]>;

export class Successor {
  version = "";
  /** How it ended. */
  readonly ended: Promise<Ended>;
  readonly #process: Deno.ChildProcess;
  readonly #link: LinkWriter<ToSuccessor>;
  readonly #heard: FromSuccessor[] = [];
  #over: string | null = null;
  #wake = Promise.withResolvers<void>();

  constructor(process: Deno.ChildProcess) {
    this.#process = process;
    this.#link = new LinkWriter<ToSuccessor>(process.stdin);
    this.ended = this.#read();
  }

  get pid(): number {
    return this.#process.pid;
  }

  tell(name: DocumentName, text: string): void {
    for (const part of cut(`document ${name}`, text)) this.#link.send({ kind: "document", name, ...part });
  }

  /** The next message, which must be of that kind. Rejects with what happened instead. */
  async expect<K extends FromSuccessor["kind"]>(
    kind: K,
    withinMs: number,
  ): Promise<Extract<FromSuccessor, { kind: K }>> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#wake.resolve();
    }, withinMs);
    try {
      for (;;) {
        const failed = this.#heard.find((one) => one.kind === "failed");
        if (failed !== undefined) throw new Error(failed.problems.join("; ") || "the new program failed");
        // Whatever it has said before.
        const message = this.#heard.shift();
        if (this.#over !== null) {
          throw new Error(`the new program ended (${this.#over}) before it had the node`);
        }
        if (message?.kind === kind) return message as Extract<FromSuccessor, { kind: K }>;
        if (message !== undefined) throw new Error(`the new program said ${message.kind} before ${kind}`);
        if (late) throw new Error(`the new program did not say ${kind} within ${withinMs / 1000} s`);
        await this.#wake.promise;
        this.#wake = Promise.withResolvers<void>();
      }
    } finally {
      clearTimeout(timer);
    }
  }

  signal(signal: Deno.Signal): void {
    try {
      this.#process.kill(signal);
    } catch {
      // It ended in this very moment.
    }
  }

  /** Ends it at once; resolves when it has ended. Its balancer notices, and drains. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.ended;
  }

  /** It is told that it is the node now. */
  leave(): Promise<void> {
    return this.#link.close();
  }

  async #read(): Promise<Ended> {
    const reading = readLink(this.#process.stdout, FROM_SUCCESSOR, (decoded) => {
      // What is no message may be one of a later version.
      if (decoded.kind === "message") this.#heard.push(decoded.message);
      this.#wake.resolve();
    });
    const status = await this.#process.status;
    await reading;
    await this.#link.close();
    this.#over = status.signal === null ? `exit ${status.code}` : `killed by ${status.signal}`;
    this.#wake.resolve();
    return status;
  }
}
