/** Reads configurations for tests and tells what is wrong with them in a form that is easy to compare. */
import type { Accounts } from "../../mod/base/accounts.ts";
import type { CertificateReader } from "../../mod/config/certificates.ts";
import { loadConfig, type LoadResult } from "../../mod/config/load.ts";
import type { FileReader } from "../../mod/config/named_files.ts";
import type { Problem } from "../../mod/config/problem.ts";
import type { Config } from "../../mod/config/schema.ts";

export interface Reading {
  readonly file?: string;
  readonly node?: string;
  readonly context?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly accounts?: Accounts;
  readonly certificates?: CertificateReader;
  readonly files?: FileReader;
}

export function load(
  text: string,
  { file, node, context, env, accounts, certificates, files }: Reading = {},
): Promise<LoadResult> {
  return loadConfig(text, {
    file: file ?? "tandem.yaml",
    node: node ?? null,
    context: context ?? null,
    env: (name) => env?.[name],
    ...(accounts === undefined ? {} : { accounts }),
    ...(certificates === undefined ? {} : { certificates }),
    ...(files === undefined ? {} : { files }),
  });
}

/** The configuration of a text that has to be good. */
export async function good(text: string, reading: Reading = {}): Promise<Config> {
  const result = await load(text, reading);
  if ("config" in result) return result.config;
  throw new Error(`Cannot read the text as it has problems:\n${result.problems.map(brief).join("\n")}`);
}

/** Every error as `line:column «marked text» path: message`. */
export async function errors(text: string, reading: Reading = {}): Promise<string[]> {
  const result = await load(text, reading);
  return "problems" in result ? result.problems.map(brief) : [];
}

/** Every warning, in the same form. */
export async function warnings(text: string, reading: Reading = {}): Promise<string[]> {
  return (await load(text, reading)).warnings.map(brief);
}

function brief({ line, column, source, caret, caretLength, path, message }: Problem): string {
  const marked = source.slice(caret, caret + caretLength);
  return `${line}:${column} «${marked}» ${path === "" ? "" : `${path}: `}${message}`;
}

/** One listener named web, and a pool for it: the least that is a configuration. */
export const LISTENER = 'listeners: [{ name: web, bind: ":80", pool: app }]';
export const POOL = 'pools: { app: { servers: ["10.0.0.1:80"] } }';
export const SMALLEST = `${LISTENER}\n${POOL}`;

/** Lines of a listener; the first stands in line 4. */
export function listenerWith(...lines: string[]): string {
  return ["listeners:", "  - name: web", '    bind: ":80"', ...lines.map((line) => `    ${line}`), POOL].join(
    "\n",
  );
}

/** Routes of an http listener; the first stands in line 5. */
export function routesOf(...routes: string[]): string {
  return listenerWith("routes:", ...routes.map((route) => `  - ${route}`));
}

/** Lines of a pool with one server; the first stands in line 5. */
export function poolWith(...lines: string[]): string {
  return [LISTENER, "pools:", "  app:", '    servers: ["10.0.0.1:80"]', ...lines.map((line) => `    ${line}`)]
    .join("\n");
}

/** The servers of a pool as a list, in line 4. */
export function serversOf(list: string): string {
  return [LISTENER, "pools:", "  app:", `    servers: ${list}`].join("\n");
}
