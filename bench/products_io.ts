/**
 * The products side by side: each gets the same listeners, routes and servers, one core's worth by default, keep-alive
 * to the servers and `X-Forwarded-For` on. Their configurations stand here in full, so that fairness can be judged.
 */
import { requireTool } from "../tests/lab/tools.ts";
import { read, ROOT } from "../tests/style/tree.ts";
import { nginxPaths, SERVER_NAME, type Servers } from "./backends_io.ts";
import { type CertificateFiles, certificateIn } from "./certificate_io.ts";
import { accepting, freePort, type Running, start } from "./process_io.ts";
import { BUSY_PATH, GZIP_LEVEL, requestPath, routePrefix, type Scenario } from "./scenarios.ts";

/** Idle connections and both sides of busy ones must fit the usual limit of 20,000 open files. */
const MAX_CONNECTIONS = 9000;

export interface Started {
  readonly product: ProductName;
  readonly running: Running;
  /** Where the load goes: the last listener. */
  readonly url: string;
  readonly port: number;
  /** Where its access log is, with everything else it prints. */
  readonly log: string;
}

export const PRODUCTS = ["tandem", "haproxy", "nginx"] as const;
export type ProductName = typeof PRODUCTS[number];

/** Starts a product for a scenario; rejects with the reason when it does not come up. */
export async function startProduct(
  product: ProductName,
  scenario: Scenario,
  servers: Servers,
  directory: string,
): Promise<Started> {
  const ports = Array.from({ length: scenario.listeners }, freePort);
  const prefix = `${directory}/${product}`;
  const log = `${prefix}.log`;
  const certificate = scenario.tls ? await certificateIn(directory) : null;
  const running = await LAUNCH[product]({ scenario, servers, ports, prefix, log, certificate });
  const port = ports[ports.length - 1] ?? 0;
  try {
    for (const each of ports) await accepting(each, running);
  } catch (error) {
    await running.stop();
    const said = (await Deno.readTextFile(log)).trim().split("\n").slice(0, 3).join("\n");
    throw new Error(`${product} did not start: ${(error as Error).message}\n${said}`);
  }
  return {
    product,
    running,
    port,
    log,
    url: `${scenario.tls ? "https" : "http"}://127.0.0.1:${port}${requestPath(scenario)}`,
  };
}

interface Setup {
  readonly scenario: Scenario;
  readonly servers: Servers;
  readonly ports: readonly number[];
  /** Path that the product's own files begin with. */
  readonly prefix: string;
  readonly log: string;
  /** Null: without TLS. */
  readonly certificate: CertificateFiles | null;
}

const LAUNCH: Record<ProductName, (setup: Setup) => Promise<Running>> = {
  async tandem({ scenario, servers, ports, prefix, log, certificate }) {
    const config = `${prefix}.yaml`;
    await Deno.writeTextFile(config, tandemConfig(scenario, servers, ports, certificate));
    // The project's own task says with which permissions it runs.
    const [, ...args] = (JSON.parse(read("deno.json")).tasks.tandem as string).split(" ");
    const entry = args.map((arg) => arg === "main.ts" ? `${ROOT}/main.ts` : arg);
    return start(Deno.execPath(), [...entry, "run", "-c", config], log, { TANDEM_NODE: `bench-${ports[0]}` });
  },
  async haproxy({ scenario, servers, ports, prefix, log, certificate }) {
    await Deno.writeTextFile(`${prefix}.cfg`, haproxyConfig(scenario, servers, ports, certificate));
    return start(program("haproxy"), ["-db", "-f", `${prefix}.cfg`], log);
  },
  async nginx({ scenario, servers, ports, prefix, log, certificate }) {
    await Deno.writeTextFile(`${prefix}.conf`, nginxConfig(scenario, servers, ports, prefix, certificate));
    return start(program("nginx"), ["-e", "stderr", "-c", `${prefix}.conf`], log);
  },
};

function program(name: string): string {
  const tool = requireTool(name);
  if ("skip" in tool) throw new Error(tool.skip);
  return tool.path;
}

function portsOf({ serverTls }: Scenario, { ports, tlsPorts }: Servers): readonly number[] {
  return serverTls ? tlsPorts : ports;
}

/** The rules of `rules`, as Tandem, HAProxy and nginx say them. */
const HEADER_RULES = {
  request: { set: { "X-Edge": "bench", "X-Client": "$clientAddress" } },
  response: { set: { "X-Frame-Options": "DENY" } },
};
const HAPROXY_RULES = [
  "  http-request set-header X-Edge bench",
  "  http-request set-header X-Client %[src]",
  "  http-response set-header X-Frame-Options DENY",
];
/** A stick table counts, as is usual there. */
const HAPROXY_RATE_LIMIT = [
  "  stick-table type ip size 100k expire 10s store http_req_rate(10s)",
  "  http-request track-sc0 src",
  "  http-request deny deny_status 429 if { sc_http_req_rate(0) gt 10000000 }",
];
/** HAProxy stores nothing that does not say how long it is fresh. */
const HAPROXY_CACHE = "cache answers\n  total-max-size 64\n  max-object-size 1000000\n  max-age 3600";
const HAPROXY_CACHE_USE = [
  "  http-request cache-use answers",
  "  http-response set-header Cache-Control max-age=3600",
  "  http-response cache-store answers",
];
const NGINX_RULES =
  "proxy_set_header X-Edge bench; proxy_set_header X-Client $remote_addr; add_header X-Frame-Options DENY;";

/** The configuration that Tandem gets; JSON is YAML. */
export function tandemConfig(
  scenario: Scenario,
  servers: Servers,
  ports: readonly number[],
  certificate: CertificateFiles | null = null,
): string {
  const tls = certificate === null ? {} : {
    tls: {
      certificates: [{ cert: certificate.cert, key: certificate.key }],
      alpn: [scenario.http2 ? "h2" : "http/1.1"],
    },
  };
  const routes = scenario.files ? [{ files: { root: servers.files } }] : [
    ...(scenario.beside
      ? [{ match: { path: BUSY_PATH }, function: { module: `${ROOT}/bench/busy.ts` } }]
      : []),
    ...Array.from({ length: scenario.routes }, (_, index) => ({
      match: { path: `${routePrefix(index)}*` },
      pool: "app",
    })),
    { pool: "app", ...(scenario.cache ? { cache: { ttl: "1h" } } : {}) },
  ];
  return JSON.stringify(
    {
      listeners: ports.map((port, index) => ({
        name: `bench${index}`,
        bind: `127.0.0.1:${port}`,
        protocol: scenario.protocol,
        ...tls,
        ...(scenario.gzip
          ? { compress: { encodings: "gzip", types: "text/plain", levels: { gzip: GZIP_LEVEL } } }
          : {}),
        ...(scenario.rules ? { headers: HEADER_RULES } : {}),
        ...(scenario.rateLimit ? { rateLimit: { rate: "1000000/s", burst: 1_000_000 } } : {}),
        ...(scenario.protocol === "tcp" ? { pool: "app" } : { routes }),
      })),
      ...(scenario.files ? {} : {
        pools: {
          app: {
            balance: "roundRobin",
            servers: portsOf(scenario, servers).map((port) => `127.0.0.1:${port}`),
            ...(scenario.rules ? { sticky: { cookie: "SRV", httpOnly: false } } : {}),
            ...(scenario.serverTls ? { tls: { ca: servers.authority, serverName: SERVER_NAME } } : {}),
          },
        },
      }),
      log: { access: scenario.accessLog ? "haproxy" : "off" },
      workers: scenario.workers,
    },
    null,
    2,
  );
}

function haproxyConfig(
  scenario: Scenario,
  servers: Servers,
  ports: readonly number[],
  certificate: CertificateFiles | null,
): string {
  const shown = certificate === null
    ? ""
    : ` ssl crt ${certificate.both} alpn ${scenario.http2 ? "h2" : "http/1.1"}`;
  const { protocol, accessLog } = scenario;
  const tls = scenario.serverTls
    ? ` ssl verify required ca-file ${servers.authority} sni str(${SERVER_NAME}) verifyhost ${SERVER_NAME}`
    : "";
  const frontends = ports.map((port, index) => {
    const routes = Array.from(
      { length: scenario.routes },
      (_, at) => `  use_backend app if { path_beg ${routePrefix(at)} }`,
    );
    return [
      `frontend bench${index}`,
      `  bind 127.0.0.1:${port}${shown}`,
      ...(scenario.rules ? HAPROXY_RULES : []),
      ...(scenario.cache ? HAPROXY_CACHE_USE : []),
      ...(scenario.rateLimit ? HAPROXY_RATE_LIMIT : []),
      ...(scenario.beside ? [`  use_backend busy if { path ${BUSY_PATH} }`] : []),
      ...routes,
      "  default_backend app",
    ].join("\n");
  });
  return `global
  maxconn ${MAX_CONNECTIONS}
  nbthread ${scenario.workers}
defaults
  mode ${protocol}
  timeout connect 3s
  timeout client 300s
  timeout server 60s
  timeout http-keep-alive 300s
  ${accessLog ? "log stdout format raw local0 info" : "no log"}
  ${accessLog ? `option ${protocol}log` : ""}
  ${protocol === "http" ? "option forwardfor" : ""}
  ${protocol === "http" ? "http-reuse always" : ""}
  ${scenario.gzip ? "compression algo gzip\n  compression type text/plain" : ""}
${scenario.cache ? HAPROXY_CACHE : ""}
${frontends.join("\n")}
${scenario.beside ? `backend busy\n  server busy 127.0.0.1:${servers.busyPort}` : ""}
backend app
  balance roundrobin
  ${scenario.rules ? "cookie SRV insert indirect nocache" : ""}
${
    portsOf(scenario, servers).map((port, index) =>
      `  server s${index} 127.0.0.1:${port}${tls}${scenario.rules ? ` cookie s${index}` : ""}`
    ).join("\n")
  }
`;
}

function nginxConfig(
  scenario: Scenario,
  servers: Servers,
  ports: readonly number[],
  prefix: string,
  certificate: CertificateFiles | null,
) {
  const members = portsOf(scenario, servers).map((port) => `server 127.0.0.1:${port};`).join(" ");
  const stream = "/usr/lib/nginx/modules/ngx_stream_module.so";
  const main = `daemon off; ${
    Deno.uid() === 0 ? "user root;" : ""
  } worker_processes ${scenario.workers}; pid ${prefix}.pid;
worker_rlimit_nofile 20000;
events { worker_connections ${2 * MAX_CONNECTIONS}; }
`;
  if (scenario.protocol === "tcp") {
    const listeners = ports.map((port) =>
      `server { listen 127.0.0.1:${port} backlog=4096; proxy_pass app; }`
    );
    return `load_module ${stream};\n${main}stream {
  access_log ${scenario.accessLog ? "/dev/stdout" : "off"}; tcp_nodelay on;
  upstream app { ${members} }
  ${listeners.join("\n  ")}
}
`;
  }
  const proxy = scenario.files
    ? `root ${servers.files}; sendfile on;`
    : `proxy_pass ${scenario.serverTls ? "https" : "http"}://app;`;
  const tls = scenario.serverTls
    ? `proxy_ssl_verify on; proxy_ssl_trusted_certificate ${servers.authority};
  proxy_ssl_name ${SERVER_NAME}; proxy_ssl_server_name on; proxy_ssl_protocols TLSv1.2 TLSv1.3;`
    : "";
  const routes = Array.from(
    { length: scenario.routes },
    (_, at) => `location ${routePrefix(at)} { ${proxy} }`,
  );
  if (scenario.beside) {
    routes.push(`location = ${BUSY_PATH} { proxy_pass http://127.0.0.1:${servers.busyPort}; }`);
  }
  const [ssl, shown] = certificate === null ? ["", ""] : [
    scenario.http2 ? " ssl http2" : " ssl",
    `ssl_certificate ${certificate.cert}; ssl_certificate_key ${certificate.key}; ssl_session_cache shared:tls:1m;`,
  ];
  const listeners = ports.map((port) =>
    `server { listen 127.0.0.1:${port}${ssl} backlog=4096; ${shown} ${
      routes.join(" ")
    } location / { ${proxy} } }`
  );
  return `${main}http {
  ${nginxPaths(prefix)}
  access_log ${scenario.accessLog ? "/dev/stdout combined" : "off"}; tcp_nodelay on;
  keepalive_timeout 300s; keepalive_requests 100000000; client_max_body_size 0;
  proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
  ${scenario.rules ? NGINX_RULES : ""}
  ${
    scenario.rateLimit
      ? "limit_req_zone $binary_remote_addr zone=all:10m rate=1000000r/s; limit_req zone=all burst=1000000 nodelay;"
      : ""
  }
  proxy_request_buffering off; proxy_max_temp_file_size 0;
  ${tls}
  ${scenario.gzip ? `gzip on; gzip_comp_level ${GZIP_LEVEL}; gzip_proxied any; gzip_types text/plain;` : ""}
  ${
    scenario.cache
      ? `proxy_cache_path ${prefix}-cache keys_zone=answers:10m; proxy_cache answers; proxy_cache_valid 200 1h;`
      : ""
  }
  upstream app { ${members} keepalive 128; keepalive_requests 100000000; }
  ${listeners.join("\n  ")}
}
`;
}
