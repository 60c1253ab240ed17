/** Real programs around a node: HAProxy, nginx, OpenSSL and curl, each with files in one directory that goes away. */
import { nginxPaths } from "../../bench/backends_io.ts";
import { accepting, type Running, start } from "../../bench/process_io.ts";
import { requireTool } from "../lab/tools.ts";

export class Peers implements AsyncDisposable {
  readonly #running: Running[] = [];

  private constructor(readonly directory: string) {}

  static async make(): Promise<Peers> {
    return new Peers(await Deno.makeTempDir({ prefix: "tandem-peers-" }));
  }

  /** Writes a file and returns its path. */
  write(name: string, text: string): string {
    const path = `${this.directory}/${name}`;
    Deno.writeTextFileSync(path, text);
    return path;
  }

  /** A certificate for a name that nobody else has signed: its file, with the key in the same one. */
  async certificate(name: string): Promise<string> {
    const [key, cert] = [`${this.directory}/${name}.key`, `${this.directory}/${name}.crt`];
    const { code, text } = await run("openssl", [
      ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30".split(" "),
      ...["-keyout", key, "-out", cert, "-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`],
    ]);
    if (code !== 0) throw new Error(text);
    return this.write(`${name}.pem`, Deno.readTextFileSync(cert) + Deno.readTextFileSync(key));
  }

  /** Runs a program until the end; resolves when it accepts connections on `port`. */
  async start(program: string, args: readonly string[], port: number): Promise<void> {
    const tool = requireTool(program);
    if ("skip" in tool) throw new Error(tool.skip);
    const log = `${this.directory}/${program}-${port}.log`;
    const running = start(tool.path, args, log);
    this.#running.push(running);
    await accepting(port, running).catch((error) => {
      throw new Error(`${program}: ${Deno.readTextFileSync(log)}`, { cause: error });
    });
  }

  /** nginx with these blocks of `http` and, where given, of `stream`. */
  async nginx(port: number, http: string, stream = ""): Promise<void> {
    const prefix = `${this.directory}/nginx-${port}`;
    const module = "/usr/lib/nginx/modules/ngx_stream_module.so";
    const file = this.write(
      `nginx-${port}.conf`,
      `${stream === "" ? "" : `load_module ${module};`}
daemon off; master_process off; ${Deno.uid() === 0 ? "user root;" : ""} pid ${prefix}.pid;
events { }
http { ${nginxPaths(prefix)} access_log off; default_type text/plain; ${http} }
${stream === "" ? "" : `stream { ${stream} }`}
`,
    );
    await this.start("nginx", ["-e", "stderr", "-c", file], port);
  }

  /** HAProxy with these sections. */
  async haproxy(port: number, sections: string): Promise<void> {
    const defaults = "defaults\n  timeout connect 5s\n  timeout client 10s\n  timeout server 10s\n";
    await this.start(
      "haproxy",
      ["-db", "-f", this.write(`haproxy-${port}.cfg`, `${defaults}${sections}\n`)],
      port,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#running.map((running) => running.stop()));
    await Deno.remove(this.directory, { recursive: true });
  }
}

/** Runs a program to its end; `input` is all that it can read. */
export async function run(
  program: string,
  args: readonly string[],
  input = "",
): Promise<{ code: number; text: string }> {
  const tool = requireTool(program);
  if ("skip" in tool) throw new Error(tool.skip);
  const child = new Deno.Command(tool.path, {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input)).catch(() => {});
  await writer.close().catch(() => {});
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

/** What curl prints, which must succeed. */
export async function curl(...args: readonly string[]): Promise<string> {
  const { code, text } = await run("curl", ["-sS", "-m", "15", ...args]);
  if (code !== 0) throw new Error(`curl ${args.join(" ")}: ${code} ${text}`);
  return text;
}
