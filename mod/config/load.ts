/**
 * From the text of a file to the configuration of one node, or to everything that is wrong with it.
 *
 * text → values → tree → overlays → environment → live changes → schema → rules. Keeper, balancer and `check` all come through
 * here. Pure: the text and the environment are parameters. The readers that only some files or only errors need
 * are loaded when they are needed.
 */
import type { Accounts } from "../base/accounts.ts";
import { checkAcme } from "./acme_rules.ts";
import { type CertificateReader, checkTlsFiles, TlsFiles } from "./certificates.ts";
import { type Environment, expandEnvironment } from "./environment.ts";
import { directoryOf, pathFrom, type PathKind } from "./file_paths.ts";
import { applyOverlays, overlayNames } from "./overlay.ts";
import {
  type Finding,
  lineStartAt,
  type Path,
  type Positions,
  type Problem,
  problemAt,
  type SyntaxFault,
} from "./problem.ts";
import { checkPages } from "./page_rules.ts";
import { checkReferences } from "./references.ts";
import { checkRules, RuleContext } from "./rules.ts";
import type { Config } from "./schema.ts";
import { applyLive, type Drift, type LiveChanges, NO_CHANGES } from "./live.ts";
import { type FileReader, NamedFiles } from "./named_files.ts";
import { checkServerTls } from "./server_tls_rules.ts";
import { placeSharedChecks } from "./shared_checks.ts";
import { childOf, describeNode, type MapNode, type TreeNode, treeOf } from "./tree.ts";
import { validateTree } from "./validate.ts";
import { nodeNames, nodeRouters } from "./vrrp_nodes.ts";
import { parseYaml, TOO_DEEP } from "./yaml_text.ts";

export interface LoadOptions {
  /** As shown in problems; its ending decides the format, and `deno.json` keeps ours under the key `tandem`. */
  readonly file: string;
  /** This node's name, for `nodes`; null: without a node's overlay. */
  readonly node: string | null;
  /** For `contexts`; null: without one. */
  readonly context: string | null;
  readonly env: Environment;
  /** Reads the files that a configuration names; without, they are not looked at. */
  readonly files?: FileReader;
  /** Reads the certificates that listeners show; without, they are not looked at. */
  readonly certificates?: CertificateReader;
  /** The users of the machine that it is for; absent: they are not looked at. */
  readonly accounts?: Accounts;
  /** What is at a path of this machine; without: directories that the file names are not looked for. */
  readonly pathKind?: PathKind;
  /** What an operator has set at the running node; absent: nothing. */
  readonly live?: LiveChanges;
}

export type LoadResult =
  | {
    readonly config: Config;
    readonly warnings: readonly Problem[];
    /** The texts of the files that it names, by path as written. */
    readonly files: ReadonlyMap<string, string>;
    readonly certificates: TlsFiles;
    /** Of the live changes those that are still one, and what they change. */
    readonly live: LiveChanges;
    readonly drift: readonly Drift[];
  }
  | { readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] };

/** A configuration of 10,000 routes has about 1 MiB. */
export const MAX_CONFIG_CHARS = 8 * 1024 * 1024;
/** More than anybody reads; a file that is not a configuration at all has as many as it has lines. */
const MAX_PROBLEMS = 200;

/** Reads, checks and resolves a configuration. */
export async function loadConfig(text: string, options: LoadOptions): Promise<LoadResult> {
  const read = await readTree(text, options.file);
  if ("problems" in read) return { problems: read.problems, warnings: [] };
  const findings = [...read.findings];
  const files = new NamedFiles(options.files ?? null);
  const resolved = read.tree === null ? null : resolveTree(read.tree, options, files, findings);
  const config = resolved?.context.config ?? null;
  const certificates = resolved === null || options.certificates === undefined
    ? new TlsFiles()
    : await checkTlsFiles(resolved.context, options.certificates);
  const { live = NO_CHANGES, drift = [] } = resolved ?? {};
  if (findings.length === 0 && config !== null) {
    return { config, warnings: [], files: files.texts, certificates, live, drift };
  }
  const positions = await read.positions();
  const show = (severity: Finding["severity"]) => {
    const some = findings.filter((finding) => finding.severity === severity);
    return inOrder(some.map((finding) => problemOf(finding, read.text, options.file, positions)));
  };
  const [problems, warnings] = [show("error"), show("warning")];
  return config === null || problems.length > 0
    ? { problems, warnings }
    : { config, warnings, files: files.texts, certificates, live, drift };
}

/** The nodes that a file is for and the contexts that it has overlays for; none when it cannot be read. */
export async function listOverlays(
  text: string,
  file: string,
): Promise<{ nodes: string[]; contexts: string[] }> {
  const read = await readTree(text, file);
  if ("problems" in read || read.tree === null) return { nodes: [], contexts: [] };
  return { nodes: nodeNames(read.tree), contexts: overlayNames(read.tree, "contexts") };
}

type Read =
  | { readonly problems: readonly Problem[] }
  | {
    readonly text: string;
    readonly tree: MapNode | null;
    readonly findings: readonly Finding[];
    positions(): Positions | Promise<Positions>;
  };

/** The text as a tree, or its syntax errors. */
async function readTree(source: string, file: string): Promise<Read> {
  const text = source.replace(/^\uFEFF/, "");
  const faulty = (faults: readonly SyntaxFault[]) => ({
    problems: inOrder(faults.map((one) => faultAt(one, text, file))),
  });
  if (text.length > MAX_CONFIG_CHARS) {
    return faulty([{ offset: 0, length: 1, message: `is longer than ${MAX_CONFIG_CHARS} characters` }]);
  }
  if (/\.jsonc?$/i.test(file)) {
    const { parseJson } = await import("./json_text.ts");
    const json = parseJson(text);
    if ("faults" in json) return faulty(json.faults);
    return { text, positions: () => json.positions, ...rootOf(json.value, file) };
  }
  const yaml = parseYaml(text);
  const positions = async () => (await import("./yaml_positions.ts")).readPositions(text);
  if ("value" in yaml) {
    return {
      text,
      positions: async () => (await positions()).positions,
      ...rootOf(yaml.value, file),
    };
  }
  if (yaml.fault === TOO_DEEP) return faulty([TOO_DEEP]);
  // The second reader finds all of them, the first only its first.
  const { faults } = await positions();
  const told = faults.length > 0 ? faults : [yaml.fault];
  return faulty(firstOfEachLine(told, text).map((fault) => withHint(fault, text)));
}

/** The map that is the configuration. */
function rootOf(value: unknown, file: string): { tree: MapNode | null; findings: Finding[] } {
  const findings: Finding[] = [];
  const fail = (path: Path, message: string) => {
    findings.push({ severity: "error", path, at: "value", message });
    return { tree: null, findings };
  };
  const embedded = /(^|[\\/])deno\.jsonc?$/i.test(file);
  const root = embedded && typeof value === "object" && value !== null ? Reflect.get(value, "tandem") : value;
  const path = embedded ? ["tandem"] : [];
  if (root === undefined || root === null) {
    return fail(
      path,
      embedded ? 'is missing: a deno.json has the configuration under the key "tandem"' : "is empty",
    );
  }
  const tree = treeOf(root, path, findings);
  if (tree === null) return { tree, findings };
  return tree.kind === "map"
    ? { tree, findings }
    : fail(path, `must be a map with listeners, not ${describeNode(tree)}`);
}

/** Overlays, environment, live changes, schema and rules; null when nothing usable is left. */
function resolveTree(
  root: MapNode,
  options: LoadOptions,
  files: NamedFiles,
  findings: Finding[],
): { readonly context: RuleContext; readonly live: LiveChanges; readonly drift: readonly Drift[] } | null {
  const merged = applyOverlays(root, options, findings);
  const filled = expandEnvironment(merged, options.env, findings);
  const { tree: changed, live, drift } = applyLive(filled, options.live ?? NO_CHANGES);
  const tree = placeSharedChecks(changed, findings);
  const poolNames = new Set(keysOf(childOf(tree, "pools")));
  checkReferences(tree, poolNames, findings);
  const { config, damage } = validateTree(tree, findings);
  if (config === null) return null;
  const routers = nodeRouters(root, options.context, options.env);
  // A node that the overlays do not know has been told already.
  const node = overlayNames(root, "nodes").length === 0 ? options.node : null;
  const directory = directoryOf(options.file);
  const facts = {
    node,
    nodes: nodeNames(root),
    routers,
    accounts: options.accounts ?? null,
    env: options.env,
    pathKind: (path: string) => options.pathKind?.(pathFrom(directory, path)) ?? "directory",
  };
  const context = new RuleContext(config, tree, damage, findings, facts);
  checkRules(context);
  checkServerTls(context, files);
  checkAcme(context, files);
  checkPages(context, files);
  return { context, live, drift };
}

function keysOf(node: TreeNode | undefined): Iterable<string> {
  return node?.kind === "map" ? node.entries.keys() : [];
}

function problemOf(finding: Finding, text: string, file: string, positions: Positions): Problem {
  const span = positions.find(finding.path, finding.at);
  const part = finding.part === undefined ? -1 : text.slice(span.start, span.end).indexOf(finding.part);
  const start = span.start + Math.max(0, part);
  const end = part < 0 ? span.end : start + finding.part!.length;
  return problemAt(file, text, { start, end }, finding.path, finding.message);
}

function faultAt({ offset, length, message }: SyntaxFault, text: string, file: string): Problem {
  return problemAt(file, text, { start: offset, end: offset + length }, [], message);
}

/** What else is wrong in a line that is malformed mostly comes of the first. */
function firstOfEachLine(faults: readonly SyntaxFault[], text: string): SyntaxFault[] {
  const first = new Map<number, SyntaxFault>();
  for (const fault of faults) {
    const line = lineStartAt(text, fault.offset);
    if (fault.offset < (first.get(line)?.offset ?? Infinity)) first.set(line, fault);
  }
  return [...first.values()];
}

/** The slip that the braces of `${NAME}` invite. */
function withHint(fault: SyntaxFault, text: string): SyntaxFault {
  const start = lineStartAt(text, fault.offset);
  const line = text.slice(start).split("\n", 1)[0]!;
  const unquoted = line.includes("${") && /[[{]/.test(line.slice(0, line.indexOf("${")));
  return unquoted
    ? { ...fault, message: `${fault.message} (inside { } and [ ] put \${NAME} in quotes)` }
    : fault;
}

/** By line, each once. */
function inOrder(problems: readonly Problem[]): Problem[] {
  const once = new Map(problems.map((one) => [`${one.line}:${one.column}:${one.path}:${one.message}`, one]));
  return [...once.values()].sort((a, b) => a.line - b.line || a.column - b.column).slice(0, MAX_PROBLEMS);
}
