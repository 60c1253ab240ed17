/** Load of our own on a listener: some clients, each with one request after the other, until it is stopped. */
import { HttpConnection, type Reply, Unanswered } from "./http_client.ts";

export interface LoadOptions {
  /** Without: this machine. */
  readonly hostname?: string;
  readonly port: number;
  readonly clients: number;
  /** 1: a new connection for every request. Without: one connection for ever. */
  readonly perConnection?: number;
  readonly path?: (request: number) => string;
  /** What a good answer is. Without: any 200. */
  readonly good?: (reply: Reply, path: string) => boolean;
  /** The listener may go away: a client ends when it is refused, and what was not answered at all is no failure. */
  readonly mayRefuse?: boolean;
}

export class Load implements AsyncDisposable {
  answered = 0;
  readonly failures: string[] = [];
  #stopping = false;
  readonly #clients: Promise<void>[];

  constructor(readonly options: LoadOptions) {
    this.#clients = Array.from({ length: options.clients }, () => this.#client());
  }

  /** Resolves when so many more requests have been answered or failed. */
  async more(requests: number): Promise<void> {
    const wanted = this.answered + this.failures.length + requests;
    const all = Promise.all(this.#clients).then(() => true);
    while (this.answered + this.failures.length < wanted) {
      const over = await Promise.race([all, new Promise((resolve) => setTimeout(resolve, 10, false))]);
      if (over) return;
    }
  }

  /** Lets every client finish its request. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#clients);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Resolves when every client has been refused. */
  async ended(): Promise<void> {
    await Promise.all(this.#clients);
  }

  async #client(): Promise<void> {
    const { hostname, port, perConnection = Infinity, mayRefuse = false } = this.options;
    while (!this.#stopping) {
      let connection: HttpConnection;
      try {
        connection = await HttpConnection.connect(port, hostname);
      } catch (error) {
        if (mayRefuse) return;
        this.failures.push(`connect: ${(error as Error).message}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
        continue;
      }
      await this.#requests(connection, perConnection);
    }
  }

  async #requests(connection: HttpConnection, most: number): Promise<void> {
    using _ = connection;
    const { path = () => "/", good = ({ status }) => status === 200, mayRefuse = false } = this.options;
    for (let sent = 0; sent < most && !this.#stopping; sent++) {
      const target = path(this.answered);
      try {
        const reply = await connection.request(target);
        if (good(reply, target)) this.answered++;
        else this.failures.push(`${target}: ${reply.status} ${reply.body.trim()}`);
        if (/^connection: close/mi.test(reply.head)) return;
      } catch (error) {
        // A node that ends closes what is idle or not accepted yet, and a request may cross with that.
        if (mayRefuse && error instanceof Unanswered) return;
        this.failures.push(`${target}: ${(error as Error).message}`);
        return;
      }
    }
  }
}
