/**
 * The one schema of the configuration: its types, defaults, checks of single fields, JSON Schema and reference
 * page all come from here (and the files it is made of). What concerns several fields at once is in rules.ts.
 *
 * Pure; it knows nothing of YAML, files or overlays beyond their outer shape.
 */
import { z } from "zod";
import { AcmeSchema } from "./acme_schema.ts";
import { CheckSchema } from "./check_schema.ts";
import { CacheStoreSchema } from "./cache_schema.ts";
import { bindAddress, choice, duration, integer, line, name } from "./fields.ts";
import { KernelSchema } from "./kernel_schema.ts";
import { ListenerSchema } from "./listener_schema.ts";
import { LogSchema } from "./log_schema.ts";
import { PoolSchema } from "./pool_schema.ts";
import { TracingSchema } from "./tracing_schema.ts";
import { VrrpSchema } from "./vrrp_schema.ts";

/** Data workers; the counters in shared memory are sized for it. */
export const MAX_WORKERS = 64;
/** A token that can be guessed is none. */
const MIN_TOKEN = 16;
/** `sun_path` of Linux holds 108 bytes with its final zero (unix(7)). */
export const MAX_SOCKET_PATH = 107;

const admin = z.strictObject({
  bind: bindAddress().prefault("127.0.0.1:9900").describe("Address of the API, status and metrics."),
  socket: line(1, MAX_SOCKET_PATH).refine((path) => path.startsWith("/"), "must be an absolute path")
    .optional()
    .describe(
      "Path of the keeper's Unix socket. Without: `NODE.sock` in `/run/tandem`, or in a directory of the user's.",
    ),
  token: line(MIN_TOKEN).meta({ kind: "secret" }).optional().describe(
    `Secret of at least ${MIN_TOKEN} characters (\`Authorization: Bearer\`). Needed by changes, and by a bind that is not loopback.`,
  ),
  tls: z.strictObject({
    cert: line(1).describe("File with the certificate and its chain (PEM)."),
    key: line(1).describe("File with its private key (PEM)."),
  }).optional().describe("Speak TLS on this address. Files that change are read anew. Without: plain HTTP."),
  liveChanges: choice("keep", "reset").prefault("keep").describe(
    "What a reload does with states, weights and servers that were set at the running node: `keep` or `reset` them.",
  ),
});

const workers = z.union([z.literal("auto"), integer(1, MAX_WORKERS)]);
const overlays = z.record(name(), z.union([z.null(), z.looseObject({})])).optional();

export const ConfigSchema = z.strictObject({
  listeners: z.array(ListenerSchema).prefault([]).describe("Where Tandem listens and where requests go.")
    .meta({ minItems: 1 }),
  pools: z.record(name(), PoolSchema).prefault({}).describe("The servers, in pools by name."),
  checks: z.record(name(), CheckSchema).optional().describe("Checks that several pools call by name."),
  kernel: KernelSchema.prefault({}).describe("What listeners with `forward: nat` and `dsr` have in common."),
  vrrp: VrrpSchema.prefault({}).describe("The election: which node holds which addresses."),
  acme: AcmeSchema.optional().describe(
    "Certificates that are had and renewed by themselves, for listeners with `tls.acme`.",
  ),
  cache: CacheStoreSchema.prefault({}).describe("The memory of routes with a `cache`."),
  admin: admin.optional().describe("The HTTP address for the API, status and metrics. Without: none."),
  log: LogSchema.prefault({}).describe("The log, on stderr, and the access log."),
  tracing: TracingSchema.optional().describe(
    "Spans of requests and connections for an OpenTelemetry collector. Without: `traceparent` is passed on as any header.",
  ),
  workers: workers.prefault("auto").describe(`Data workers, 1 to ${MAX_WORKERS}; \`auto\`: one a core.`),
  drainTimeout: duration(0).prefault("30s").describe(
    "How long requests under way have to end when the node stops.",
  ),
  nodes: overlays.describe("One file for both machines: changes to the above by the name of the node."),
  contexts: overlays.describe(
    "The same by context (`--context` or `TANDEM_CONTEXT`); nodes come after contexts.",
  ),
}).describe("The configuration of Tandem, an edge load balancer.");

/** Called checks stand in their pools. */
export type Config = Omit<z.output<typeof ConfigSchema>, "nodes" | "contexts" | "checks">;
export type ConfigInput = z.input<typeof ConfigSchema>;
