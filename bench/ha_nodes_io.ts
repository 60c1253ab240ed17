/**
 * The two nodes of the election's benchmark, as either product: Tandem by itself, or keepalived beside nginx, with the
 * same interval, priorities, address and health check, each in a namespace of the lab.
 */
import { denoCommand, type Lab } from "../tests/lab/netns.ts";
import { requireTool } from "../tests/lab/tools.ts";
import { tree } from "./process_io.ts";

export const HA_PRODUCTS = ["keepalived", "tandem"] as const;
export type HaProduct = typeof HA_PRODUCTS[number];
export const VIP = "10.77.0.100";
export const INSTANCE = "edge";
export const NODES = ["lb1", "lb2"] as const;
export type NodeName = typeof NODES[number];

const PRIORITIES: Readonly<Record<NodeName, number>> = { lb1: 200, lb2: 150 };
const BACKENDS: Readonly<Record<NodeName, string>> = { lb1: "s1", lb2: "s2" };

export interface Place {
  readonly lab: Lab;
  readonly directory: string;
  readonly intervalMs: number;
}

/** The processes of one node. */
export interface Node {
  /** The process that runs the election. */
  readonly election: Deno.ChildProcess;
  readonly all: readonly Deno.ChildProcess[];
}

/** What a node balances over: a server that answers with the node's name. */
export function startBackend(place: Place, node: NodeName): Deno.ChildProcess {
  return nginx(place, BACKENDS[node], `server { listen 9000; return 200 "${node}\\n"; }`);
}

export function startNode(place: Place, product: HaProduct, node: NodeName): Node {
  if (product === "tandem") return tandem(place, node);
  const { lab } = place;
  const proxy = `upstream app { server ${lab.address(BACKENDS[node])}:9000; }
    server { listen 80; location / { proxy_pass http://app; } }`;
  const election = keepalived(place, node);
  return { election, all: [election, nginx(place, node, proxy)] };
}

/** Sends a signal to every process of a node, as good as at once. */
export function strike({ all }: Node, signal: "SIGKILL" | "SIGSTOP"): void {
  // Frozen first, parents before children, so that none restarts or mourns another while they are killed.
  const pids = all.flatMap(({ pid }) => tree(pid));
  for (const pid of pids) send(pid, "SIGSTOP");
  if (signal === "SIGKILL") { for (const pid of pids) send(pid, signal); }
}

function send(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch {
    // It ended with its parent.
  }
}

function tandem({ lab, directory, intervalMs }: Place, node: NodeName): Node {
  const file = `${directory}/${node}.yaml`;
  Deno.writeTextFileSync(
    file,
    `listeners: [{ name: web, bind: ":80", pool: app }]
pools:
  app:
    servers: ["${lab.address(BACKENDS[node])}:9000"]
    check: { type: http, path: /, interval: 1s, timeout: 500ms, rise: 1, fall: 2 }
vrrp:
  instances:
    - name: ${INSTANCE}
      interface: eth0
      routerId: 51
      addresses: ["${VIP}/24"]
      owners: [lb1, lb2]
      advertInterval: ${intervalMs}ms
      keys: [{ id: 1, secret: "a secret of the lab" }]
      track: [{ pool: app }]
drainTimeout: 2s
nodes: { lb1: {}, lb2: {} }
`,
  );
  const run = [...denoCommand("../../main.ts"), "run", "--node", node, "-c", file];
  const election = logged(lab, node, `${directory}/${node}.log`, run, { RUNTIME_DIRECTORY: directory });
  return { election, all: [election] };
}

function keepalived({ lab, directory, intervalMs }: Place, node: NodeName): Deno.ChildProcess {
  const file = `${directory}/${node}.keepalived.conf`;
  const curl = `${tool("curl")} -sf -m 0.5 -o /dev/null http://${lab.address(BACKENDS[node])}:9000/`;
  Deno.writeTextFileSync(
    file,
    `global_defs {
  router_id ${node}
  vrrp_version 3
  script_user root
}
vrrp_script app {
  script "${curl}"
  interval 1
  timeout 1
  rise 1
  fall 2
}
vrrp_instance ${INSTANCE} {
  state BACKUP
  interface eth0
  virtual_router_id 51
  priority ${PRIORITIES[node]}
  advert_int ${intervalMs / 1000}
  virtual_ipaddress {
    ${VIP}/24
  }
  track_script {
    app
  }
}
`,
  );
  const pids = ["-p", `${directory}/${node}.pid`, "-r", `${directory}/${node}.vrrp.pid`];
  const run = [tool("keepalived"), "--dont-fork", "--log-console", "--vrrp", "-f", file, ...pids];
  return logged(lab, node, `${directory}/${node}.log`, run);
}

function nginx({ lab, directory }: Place, name: string, http: string): Deno.ChildProcess {
  const prefix = `${directory}/nginx-${name}`;
  Deno.mkdirSync(`${prefix}/temp`, { recursive: true });
  const temps = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((kind) => `${kind}_temp_path ${prefix}/temp/${kind};`).join(" ");
  Deno.writeTextFileSync(
    `${prefix}/nginx.conf`,
    `daemon off; user root; worker_processes 1; pid ${prefix}/pid; error_log ${prefix}/error.log;
events {}
http { access_log off; ${temps} ${http} }
`,
  );
  return logged(lab, name, `${prefix}/log`, [tool("nginx"), "-p", prefix, "-c", `${prefix}/nginx.conf`]);
}

/** Starts a program with what it prints in a file, so that it never waits for a reader. */
function logged(
  lab: Lab,
  name: string,
  log: string,
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Deno.ChildProcess {
  const settings = Object.entries(env).map(([key, value]) => `${key}=${value}`);
  const shell = 'log=$1; shift; exec env "$@" >>"$log" 2>&1 </dev/null';
  return lab.start(name, ["sh", "-c", shell, "sh", log, ...settings, ...command]);
}

function tool(name: string): string {
  const found = requireTool(name);
  if ("skip" in found) throw new Error(`Cannot start a node: it ${found.skip}`);
  return found.path;
}
