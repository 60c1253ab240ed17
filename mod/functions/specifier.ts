/**
 * What the text of an import means: a file, a package, a module of the runtime, or nothing that a function may have.
 *
 * `npm:` and `jsr:` are Deno's; both name a package that is installed, as bundling fetches nothing. Pure.
 */
import { isBuiltin } from "node:module";

export type Meaning =
  /** Relative, or a path. */
  | { readonly kind: "file"; readonly path: string }
  /** In a `node_modules`; with a path inside of it, if any. */
  | { readonly kind: "package"; readonly name: string }
  | { readonly kind: "builtin"; readonly name: string }
  | { readonly kind: "refused"; readonly reason: string };

/** They run code that was not bundled, or other programs. */
export const REFUSED_BUILTINS: ReadonlySet<string> = new Set(
  ["child_process", "cluster", "inspector", "module", "repl", "vm", "worker_threads"].map((name) =>
    `node:${name}`
  ),
);

const NPM = /^npm:\/?((?:@[^/@]+\/)?[^/@]+)(?:@[^/]*)?(\/.*)?$/;
const JSR = /^jsr:\/?@([^/@]+)\/([^/@]+)(?:@[^/]*)?(\/.*)?$/;

/** `imports`: of the `deno.json` that the importing file is under. */
export function meaningOf(text: string, imports: Readonly<Record<string, string>>): Meaning {
  return plainMeaning(mapped(text, imports));
}

function plainMeaning(text: string): Meaning {
  if (/^(\.{0,2}\/|\.{1,2}$)/.test(text)) return { kind: "file", path: text };
  if (isBuiltin(text)) {
    const name = text.startsWith("node:") ? text : `node:${text}`;
    return REFUSED_BUILTINS.has(name) || REFUSED_BUILTINS.has(name.replace(/\/.*/, ""))
      ? { kind: "refused", reason: `is not there for a function: ${name}` }
      : { kind: "builtin", name };
  }
  const npm = NPM.exec(text);
  if (npm !== null) return { kind: "package", name: npm[1]! + (npm[2] ?? "") };
  const jsr = JSR.exec(text);
  // So jsr's own packages for npm are called.
  if (jsr !== null) return { kind: "package", name: `@jsr/${jsr[1]}__${jsr[2]}${jsr[3] ?? ""}` };
  if (/^[a-z][a-z0-9+.-]*:/i.test(text)) {
    return { kind: "refused", reason: "cannot be bundled, as nothing is fetched: a file, npm: and jsr: can" };
  }
  return { kind: "package", name: text };
}

/** What an import map makes of it: an exact entry, or the longest that ends in a slash. */
function mapped(text: string, imports: Readonly<Record<string, string>>): string {
  if (Object.hasOwn(imports, text)) return imports[text]!;
  const prefix = Object.keys(imports)
    .filter((key) => key.endsWith("/") && text.startsWith(key))
    .sort((a, b) => b.length - a.length)[0];
  return prefix === undefined ? text : imports[prefix]! + text.slice(prefix.length);
}
