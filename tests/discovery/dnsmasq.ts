/** A real nameserver on loopback: Debian's dnsmasq, with records that a test may change. */
import { queryDns } from "../../mod/discovery/dns_query_io.ts";
import { requireTool } from "../lab/tools.ts";

export interface DnsmasqOptions {
  /** Without: 127.0.0.1. */
  readonly host?: string;
  /** Of UDP and TCP. */
  readonly port: number;
  /** Seconds that it gives every record of its own. */
  readonly ttlS: number;
  readonly args?: readonly string[];
}

/** A dnsmasq that answers from `records` (its own hosts file, read anew on `reload`) and from its arguments. */
export class Dnsmasq {
  #process: Deno.ChildProcess | null = null;
  readonly #hosts: string;

  constructor(directory: string, readonly at: DnsmasqOptions, records: string) {
    this.#hosts = `${directory}/records`;
    Deno.writeTextFileSync(this.#hosts, records);
  }

  /** False when it could not start, most likely as the port is taken. */
  async start(): Promise<boolean> {
    const { host = "127.0.0.1", port, ttlS, args = [] } = this.at;
    const tool = requireTool("dnsmasq");
    if ("skip" in tool) throw new Error(tool.skip);
    const process = new Deno.Command(tool.path, {
      args: [
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        "--no-resolv",
        "--no-hosts",
        "--pid-file=",
        "--user=",
        "--group=",
        `--listen-address=${host}`,
        "--bind-interfaces",
        `--port=${port}`,
        `--addn-hosts=${this.#hosts}`,
        `--local-ttl=${ttlS}`,
        "--local=/test/",
        ...args,
      ],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const ended = new AbortController();
    process.status.then(() => ended.abort());
    const servers = { hosts: [host], port, timeoutMs: 50, attempts: 400 };
    const first = await queryDns("ready.test", "A", servers, ended.signal);
    if (ended.signal.aborted) return false;
    this.#process = process;
    if (first.kind === "failed") throw new Error(`dnsmasq does not answer: ${first.reason}`);
    return true;
  }

  async reload(records: string): Promise<void> {
    await Deno.writeTextFile(this.#hosts, records);
    this.#process?.kill("SIGHUP");
  }

  async stop(): Promise<void> {
    this.#process?.kill("SIGTERM");
    await this.#process?.status;
    this.#process = null;
  }
}
