/**
 * An authority under test: Pebble, the ACME server of Let's Encrypt for tests, and the name server that tells it that
 * every name is this machine. Both come with Debian's package `pebble`.
 */
import { Certificates } from "../net/openssl.ts";
import { eventually, freePorts } from "./node.ts";

export interface PebbleOptions {
  /** Where the authority asks. */
  readonly httpPort: number;
  readonly tlsPort: number;
  /** Of the certificates that it issues. */
  readonly lifeSeconds?: number;
  /** The address that every name has. */
  readonly address?: string;
  /** Share of requests, in percent, whose nonce is refused for a test of clients. */
  readonly refusedNonces?: number;
  /** An account is bound to this one, by id, with its key in base64. */
  readonly external?: { readonly id: string; readonly secret: string };
  /** What the programs are started through, such as a network namespace. */
  readonly through?: readonly string[];
  /** Its own address, and the one that its certificate is for. */
  readonly host?: string;
}

export class Pebble implements AsyncDisposable {
  readonly #processes: Deno.ChildProcess[] = [];
  readonly #ports = freePorts(4);
  #words = "";

  private constructor(readonly options: PebbleOptions, readonly made: Certificates) {}

  static async start(options: PebbleOptions): Promise<Pebble> {
    const made = await Certificates.make();
    await made.issue("authority");
    const { host = "127.0.0.1" } = options;
    await made.issue("pebble", { names: ["pebble.test"], addresses: [host], by: "authority" });
    const pebble = new Pebble(options, made);
    pebble.#nameServer();
    pebble.run();
    await pebble.#listening(1);
    return pebble;
  }

  get directory(): string {
    return `https://${this.options.host ?? "127.0.0.1"}:${this.#ports[0]}/dir`;
  }

  /** Signed the certificate of the directory. */
  get ca(): string {
    return this.made.path("authority.pem");
  }

  get words(): string {
    return this.#words;
  }

  /** How many certificates it has issued. */
  get issued(): number {
    return this.#words.match(/Issued certificate serial/g)?.length ?? 0;
  }

  /** Starts it; what it knew before is forgotten. */
  run(): void {
    const { httpPort, tlsPort, lifeSeconds, external, refusedNonces = 0 } = this.options;
    const [acme, management, dns] = this.#ports;
    Deno.writeTextFileSync(
      this.made.path("pebble.json"),
      JSON.stringify({
        pebble: {
          listenAddress: `0.0.0.0:${acme}`,
          managementListenAddress: `127.0.0.1:${management}`,
          certificate: this.made.path("pebble.pem"),
          privateKey: this.made.path("pebble.key"),
          httpPort,
          tlsPort,
          ocspResponderURL: "",
          externalAccountBindingRequired: external !== undefined,
          externalAccountMACKeys: external === undefined ? {} : { [external.id]: external.secret },
          ...lifeSeconds === undefined ? {} : { certificateValidityPeriod: lifeSeconds },
        },
      }),
    );
    const config = this.made.path("pebble.json");
    this.#spawn("pebble", ["-config", config, "-dnsserver", `127.0.0.1:${dns}`], {
      PEBBLE_VA_NOSLEEP: "1",
      PEBBLE_WFE_NONCEREJECT: String(refusedNonces),
      PEBBLE_AUTHZREUSE: "0",
    });
  }

  /** Ends the authority; the name server stays. */
  async stop(): Promise<void> {
    const process = this.#processes.pop()!;
    process.kill("SIGKILL");
    await process.status;
  }

  /** Ends it and has it forget everything: accounts, certificates, and with which key it signs these. */
  async restart(): Promise<void> {
    await this.stop();
    const starts = this.#starts;
    this.run();
    await this.#listening(starts + 1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    while (this.#processes.length > 0) await this.stop();
    await this.made[Symbol.asyncDispose]();
  }

  #nameServer(): void {
    const [, , dns, management] = this.#ports;
    const off = ["-http01", "-https01", "-tlsalpn01"].flatMap((name) => [name, ""]);
    const { address = "127.0.0.1" } = this.options;
    this.#spawn("pebble-challtestsrv", [
      ...off,
      ...["-dns01", `127.0.0.1:${dns}`, "-management", `127.0.0.1:${management}`],
      ...["-defaultIPv4", address, "-defaultIPv6", ""],
    ]);
  }

  #spawn(program: string, args: readonly string[], env: Record<string, string> = {}): void {
    const [command, ...rest] = [...this.options.through ?? [], program, ...args];
    const process = new Deno.Command(command!, {
      ...{ args: rest, env },
      ...{ stdin: "null", stdout: "piped", stderr: "piped" },
    }).spawn();
    this.#processes.push(process);
    void this.#listen(process.stdout);
    void this.#listen(process.stderr);
  }

  async #listen(output: ReadableStream<Uint8Array>): Promise<void> {
    for await (const text of output.pipeThrough(new TextDecoderStream())) this.#words += text;
  }

  get #starts(): number {
    return this.#words.match(/ACME directory available/g)?.length ?? 0;
  }

  async #listening(starts: number): Promise<void> {
    await eventually(() => this.#starts >= starts, () => this.#words);
  }
}
