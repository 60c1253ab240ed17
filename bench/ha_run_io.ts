/**
 * One run of the election's benchmark: a fresh lab, both nodes settled, requests over the address, one fault, and what
 * the kernels and the client saw from the fault on. Always taken down again, also when it takes too long.
 */
import { askAdmin } from "../mod/runtime/admin_socket_io.ts";
import { denoCommand, Lab } from "../tests/lab/netns.ts";
import { requireTool } from "../tests/lab/tools.ts";
import { type Fault, silences } from "./ha_faults.ts";
import {
  type HaProduct,
  INSTANCE,
  type Node,
  type NodeName,
  NODES,
  startBackend,
  startNode,
  strike,
  VIP,
} from "./ha_nodes_io.ts";
import { type Change, changesIn, ownership } from "./ha_owners.ts";
import type { HaSample } from "./ha_report.ts";

export const REQUESTS_PER_SECOND = 200;
/** A request that is not answered by then has failed. */
export const ANSWER_LIMIT_MS = 500;
/** Both products have told each other and their checks everything by then. */
const SETTLED_MS = 2500;
const CLIENT_START_MS = 1000;
/** The fault comes at any moment between two checks, and so between two adverts. */
const CHECK_INTERVAL_MS = 1000;
const POLL_MS = 100;
const LOSS_PERCENT = 30;
const SETTLE_LIMIT_MS = 40_000;
const ADMIN_LIMIT_MS = 1000;

export interface RunOptions {
  readonly product: HaProduct;
  readonly fault: Fault;
  readonly intervalMs: number;
  /** How long the run is watched from the fault on. */
  readonly watchedMs: number;
  /** Ask for as much as the owner can serve, besides the steady requests. */
  readonly saturate: boolean;
  /** Ends the run early. */
  readonly signal: AbortSignal;
  /** Keeps the nodes' logs there. */
  readonly directory: string;
}

/** Throws when the nodes do not settle or `signal` is aborted; the lab is gone either way. */
export async function runOnce(options: RunOptions): Promise<HaSample> {
  const { watchedMs, signal } = options;
  const limit = AbortSignal.timeout(SETTLE_LIMIT_MS + 2 * watchedMs);
  const ended = AbortSignal.any([signal, limit]);
  await using lab = await Lab.create(...NODES, "client", "s1", "s2");
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(new Error("ended early, or the nodes did not settle in time"));
  ended.addEventListener("abort", onAbort);
  try {
    return await Promise.race([measured(lab, options, ended), aborted.promise]);
  } finally {
    ended.removeEventListener("abort", onAbort);
  }
}

async function measured(lab: Lab, options: RunOptions, ended: AbortSignal): Promise<HaSample> {
  const { product, fault, intervalMs, watchedMs, saturate, directory } = options;
  const place = { lab, directory, intervalMs };
  const monitors = NODES.map((node) => [node, monitor(lab, node)] as const);
  const backends = NODES.map((node) => startBackend(place, node));
  const nodes = NODES.map((node) => startNode(place, product, node));
  await settled(lab, intervalMs, ended);
  const client = lab.start("client", [
    ...denoCommand("../../bench/ha_client_program.ts"),
    ...[VIP, `${REQUESTS_PER_SECOND}`, `${ANSWER_LIMIT_MS}`],
  ]);
  const told = new Response(client.stdout).text();
  if (saturate) startLoad(lab, 2 * CLIENT_START_MS + CHECK_INTERVAL_MS + watchedMs);
  await pause(CLIENT_START_MS + Math.random() * CHECK_INTERVAL_MS);
  const from = now();
  await befall(lab, fault, nodes[0]!, backends[0]!, directory);
  const until = from + watchedMs;
  await pause(until - now());
  await client.stdin.close();
  const answers = (JSON.parse(await told) as { at: number; by: string }[])
    .filter(({ at }) => at >= from && at < until);
  const changes: Change[] = [];
  for (const [node, { child, text }] of monitors) {
    child.kill("SIGTERM");
    changes.push(...changesIn(await text, node, VIP));
  }
  const seen = ownership(changes, { from, until, silent: silences(fault) ? NODES[0] : null });
  const failed = answers.filter(({ by }) => by === "").length;
  return { fault, product, ...seen, failed, requests: answers.length };
}

async function befall(
  lab: Lab,
  fault: Fault,
  owner: Node,
  backend: Deno.ChildProcess,
  directory: string,
): Promise<void> {
  const [first, second] = NODES;
  switch (fault) {
    case "SIGTERM":
      return owner.election.kill("SIGTERM");
    case "SIGKILL":
    case "SIGSTOP":
      return strike(owner, fault);
    case "link down":
      return await lab.cut(first);
    case "one-way loss":
      return await lab.loss(second, 100);
    case "30 % loss":
      await Promise.all([lab.loss(first, LOSS_PERCENT), lab.loss(second, LOSS_PERCENT)]);
      return;
    case "pool down":
      return strike({ election: backend, all: [backend] }, "SIGKILL");
    case "hand-over":
      await askAdmin(`${directory}/${first}.sock`, `/api/instances/${INSTANCE}/move`, ADMIN_LIMIT_MS, "POST");
      return;
    case "nothing":
      return;
  }
}

/** Two threads and 64 connections that ask as fast as they are answered; ends with its time, or with the lab. */
function startLoad(lab: Lab, forMs: number): void {
  const wrk = requireTool("wrk");
  if ("skip" in wrk) throw new Error(`Cannot saturate the owner: it ${wrk.skip}`);
  const seconds = `${Math.ceil(forMs / 1000)}s`;
  const child = lab.start("client", [wrk.path, "-t", "2", "-c", "64", "-d", seconds, `http://${VIP}/`]);
  void child.stdin.close();
  void child.stdout.cancel();
}

/** Waits until the first node has had the address for a while, and each node serves. */
async function settled(lab: Lab, intervalMs: number, ended: AbortSignal): Promise<void> {
  let since = Infinity;
  while (!ended.aborted) {
    const well = await owns(lab, "lb1") && !await owns(lab, "lb2") && await answers(lab, VIP) === "lb1" &&
      await answers(lab, lab.address("lb2")) === "lb2";
    since = well ? Math.min(since, now()) : Infinity;
    if (now() - since >= SETTLED_MS + 5 * intervalMs) return;
    await pause(POLL_MS);
  }
}

async function owns(lab: Lab, node: NodeName): Promise<boolean> {
  return (await lab.ip(node, "address", "show", "dev", "eth0")).includes(` ${VIP}/`);
}

async function answers(lab: Lab, address: string): Promise<string> {
  return (await lab.run("client", "curl", "-s", "-m", "1", `http://${address}/`)).stdout.trim();
}

function monitor(lab: Lab, node: NodeName) {
  const child = lab.start(node, ["ip", "-ts", "-o", "-4", "monitor", "address"]);
  return { child, text: new Response(child.stdout).text() };
}

/** The clock of the monitors: milliseconds since 1970, finer than Date.now(). */
function now(): number {
  return performance.timeOrigin + performance.now();
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
