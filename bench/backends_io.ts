/**
 * The two servers behind every product: nginx, each with the same few answers.
 *
 * An upload is read whole before it is answered (nginx buffers it for an inner request), so that a product must carry
 * all of it. Any prefix before the last path segment is ignored: the routes scenario asks below prefixes.
 */
import { Certificates, type Pair } from "../tests/lab/certificates.ts";
import { requireTool } from "../tests/lab/tools.ts";
import { read, ROOT } from "../tests/style/tree.ts";
import { accepting, freePort, type Running, start } from "./process_io.ts";

const SMALL_BODY = "hello from a server\n";

/** Where the servers are, and who vouches for them. */
export interface Servers {
  readonly ports: readonly number[];
  /** The same answers over TLS. */
  readonly tlsPorts: readonly number[];
  /** Where `startBusy` serves, once it is called. */
  readonly busyPort: number;
  /** File of the authority of their certificates, which are for `SERVER_NAME`. */
  readonly authority: string;
  /** Directory with files that products may answer with themselves. */
  readonly files: string;
}

export const SERVER_NAME = "server.test";

export interface Backends extends Servers {
  stop(): Promise<void>;
}

export async function startBackends(directory: string): Promise<Backends> {
  const nginx = requireTool("nginx");
  if ("skip" in nginx) throw new Error(`Cannot start the servers: ${nginx.skip}`);
  const files = `${directory}/files`;
  await Deno.mkdir(files);
  await Deno.writeTextFile(`${files}/10k`, "x".repeat(10 * 1024));
  await Deno.writeTextFile(`${files}/10m`, "x".repeat(10 * 1024 * 1024));
  await Deno.writeTextFile(`${files}/64k`, "x".repeat(64 * 1024));
  await Deno.writeTextFile(`${files}/text`, sampleText());
  await Deno.writeTextFile(`${files}/1m`, "x".repeat(1024 * 1024));
  const running: Running[] = [];
  const ports = [freePort(), freePort()];
  const tlsPorts = [freePort(), freePort()];
  const certificates = new Certificates();
  const authority = certificates.authority("authority");
  const pair = certificates.sign("server", authority, { names: `DNS:${SERVER_NAME}` });
  for (const [index, port] of ports.entries()) {
    const config = `${directory}/backend${index}.conf`;
    await Deno.writeTextFile(
      config,
      nginxServer(files, `${directory}/backend${index}`, port, tlsPorts[index]!, pair),
    );
    const server = start(nginx.path, ["-e", "stderr", "-c", config], `${config}.log`);
    running.push(server);
    await accepting(port, server);
  }
  return {
    ports,
    tlsPorts,
    busyPort: freePort(),
    authority: authority.cert,
    files,
    async stop() {
      await Promise.all(running.map((server) => server.stop()));
      certificates[Symbol.dispose]();
    },
  };
}

/** The server of what is asked beside, with as little priority as functions have. */
export async function startBusy(port: number, directory: string): Promise<Running> {
  const serve = ["serve", "--no-check", "--quiet", "--host", "127.0.0.1", "--port", `${port}`];
  const args = ["-n", "5", Deno.execPath(), ...serve, `${ROOT}/bench/busy.ts`];
  const running = start("nice", args, `${directory}/busy.log`);
  await accepting(port, running);
  return running;
}

/** The paths nginx writes to, so that it needs none of the system's. */
export function nginxPaths(prefix: string): string {
  return ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${prefix}.${name};`).join(" ");
}

function nginxServer(files: string, prefix: string, port: number, tlsPort: number, pair: Pair): string {
  return `daemon off; ${Deno.uid() === 0 ? "user root;" : ""} worker_processes 1; pid ${prefix}.pid;
worker_rlimit_nofile 16000;
events { worker_connections 8000; multi_accept on; }
http {
  ${nginxPaths(prefix)}
  access_log off; sendfile on; tcp_nodelay on; keepalive_timeout 600s; keepalive_requests 100000000;
  client_max_body_size 0; client_body_buffer_size 2m;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    listen 127.0.0.1:${tlsPort} ssl backlog=4096;
    ssl_certificate ${pair.cert}; ssl_certificate_key ${pair.key}; ssl_protocols TLSv1.3;
    location ~ /small$ { default_type text/plain; return 200 "${SMALL_BODY.trim()}\\n"; }
    location ~ /forwarded$ {
      default_type text/plain; return 200 "$http_x_forwarded_for $http_x_edge $http_x_client";
    }
    location ~ /(64k|1m|text)$ { root ${files}; try_files /$1 =404; }
    location = /sink { return 200 "stored\\n"; }
    location ~ /upload$ {
      rewrite ^ /sink break; proxy_pass http://127.0.0.1:${port};
      proxy_pass_request_body off; proxy_set_header Content-Length "";
    }
  }
}
`;
}

/** 64 KB of what people write and read, to compress: of this repository's own pages. */
export function sampleText(): string {
  const pages = ["docs/config.md", "docs/vrrp.md", "docs/tls.md", "docs/operations.md"];
  return pages.map(read).join("").slice(0, 64 * 1024);
}
