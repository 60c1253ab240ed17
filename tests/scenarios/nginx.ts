/** A real server: Debian's nginx as one process, so that a kill -9 ends all of it. */
import { nginxPaths } from "../../bench/backends_io.ts";
import { accepting, type Running, start } from "../../bench/process_io.ts";
import { requireTool } from "../lab/tools.ts";
import { freePort } from "./node.ts";

export class Nginx implements AsyncDisposable {
  #running: Running | null = null;

  private constructor(readonly directory: string, readonly port: number) {}

  /** Answers every path with its `name`, `/files/*` from its directory, `PUT /files/*` into it. */
  static async start(name: string, port = freePort()): Promise<Nginx> {
    const nginx = new Nginx(await Deno.makeTempDir({ prefix: `tandem-nginx-${name}-` }), port);
    await Deno.mkdir(`${nginx.directory}/files`);
    await Deno.writeTextFile(`${nginx.directory}/nginx.conf`, config(nginx.directory, name, port));
    await nginx.start();
    return nginx;
  }

  get pid(): number {
    return this.#running!.pid;
  }

  async start(): Promise<void> {
    const tool = requireTool("nginx");
    if ("skip" in tool) throw new Error(tool.skip);
    const args = ["-e", "stderr", "-c", `${this.directory}/nginx.conf`];
    this.#running = start(tool.path, args, `${this.directory}/log`);
    await accepting(this.port, this.#running);
  }

  /** kill -9. */
  async kill(): Promise<void> {
    Deno.kill(this.pid, "SIGKILL");
    await this.#running!.ended;
    this.#running = null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running?.stop();
    await Deno.remove(this.directory, { recursive: true });
  }
}

function config(directory: string, name: string, port: number): string {
  return `daemon off; master_process off; ${Deno.uid() === 0 ? "user root;" : ""} pid ${directory}/pid;
worker_rlimit_nofile 16000;
events { worker_connections 8000; multi_accept on; }
http {
  ${nginxPaths(`${directory}/nginx`)}
  access_log off; sendfile on; tcp_nodelay on; keepalive_timeout 600s; keepalive_requests 100000000;
  client_max_body_size 0;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / { default_type text/plain; return 200 "${name}\\n"; }
    location /files/ { root ${directory}; dav_methods PUT; create_full_put_path on; }
  }
}
`;
}
