/**
 * The reference page of the configuration (`docs/config.md`), made from the one schema. Pure.
 *
 * What stands in no single field (files, variables, overlays) is the text at its head; every table comes from the
 * schema, a section for each map in the file, in the order in which they are met.
 */
import type { JsonSchema } from "./json_schema.ts";

const HEAD = `# Configuration

Made from the schema by \`deno task docs\`; do not edit.

\`tandem check -c FILE\` tells everything that is wrong with a file, with line and column. \`tandem schema\` prints
the same schema for editors: with \`# yaml-language-server: $schema=tandem.schema.json\` in its first line a file
is checked as you write. \`examples/\` has whole configurations.

## Files

YAML (\`tandem.yaml\` unless \`-c\` says otherwise), JSON or JSONC of the same shape, or the key \`tandem\` in a
\`deno.json\`. A key that is not known is an error. Anchors, aliases and merge keys (\`<<\`) work as in any YAML.

- A **duration** has a unit: \`250ms\`, \`2s\`, \`5m\`, \`1h\`.
- A **size** counts bytes, in powers of 1024: \`512\`, \`64k\`, \`1m\`, \`2g\`.
- A **share** is \`20%\` or \`0.2\`.
- A **name** has 1 to 100 letters, digits and \`. _ - : [ ]\`.

## Variables

\`\${NAME}\` in a value stands for an environment variable, \`\${NAME:-default}\` for one that may be missing or
empty, \`$\${\` for a plain \`\${\`. A missing variable is an error. What a variable holds is always a value and
never structure. Inside \`{ }\` and \`[ ]\` YAML wants quotes around it: \`{ token: "\${TOKEN}" }\`.

## Nodes and contexts

One file serves several nodes. \`nodes\` has what is different on each, by the node's name (\`--node\`, else
\`TANDEM_NODE\`, else the host name); \`contexts\` has the same by \`--context\` (else \`TANDEM_CONTEXT\`), and is
applied first. A file that has \`nodes\` must name every node that uses it, if only as \`lb1: {}\`.

Maps are merged key by key and \`null\` removes. Items of a list are addressed by their name, as a map of names or
as a list of items with names; a server without a name is called by its address. Anything else replaces.

\`\`\`yaml
listeners:
  - { name: web, bind: ":8080", pool: app }
pools:
  app:
    servers: ["10.0.0.11:8080", { name: b, address: "10.0.0.12:8080" }]
nodes:
  lb1: {}
  lb2:
    listeners: { web: { bind: ":8081" } }
    pools: { app: { servers: { b: null } } }
contexts:
  development:
    log: { level: debug }
\`\`\`

\`tandem check\` reads the file as every node would, unless one is named. A running node reads its file again at
SIGHUP; one that is wrong changes nothing. \`workers\` and \`admin.socket\` change with the next start only.
`;

/** The page as Markdown. */
export function referencePage(schema: JsonSchema): string {
  return [HEAD, ...sections(schema, "")].join("\n");
}

/** The section of a map, then those of the maps in it. */
function sections(schema: JsonSchema, path: string): string[] {
  const here: string[] = [];
  if (hasFields(schema)) here.push(section(schema, path));
  for (const [step, child] of nested(schema)) here.push(...sections(child, path + step));
  return here;
}

/** The maps with fields of their own below a schema, by the step that leads to each. */
function nested({ properties, items, anyOf, additionalProperties }: JsonSchema): [string, JsonSchema][] {
  return [
    ...Object.entries(properties ?? {}).map(([key, child]): [string, JsonSchema] => [`.${key}`, child]),
    ...(items === undefined ? [] : [["[]", items] as [string, JsonSchema]]),
    ...distinct(anyOf ?? []).map((one): [string, JsonSchema] => ["", one]),
    ...(typeof additionalProperties === "object"
      ? [[".NAME", additionalProperties] as [string, JsonSchema]]
      : []),
  ];
}

/** The forms without the list of another one: its items have that one's section. */
function distinct(forms: readonly JsonSchema[]): JsonSchema[] {
  const texts = forms.map((form) => JSON.stringify(form));
  return forms.filter(({ items }) => items === undefined || !texts.includes(JSON.stringify(items)));
}

/** False for a map that may hold anything, as an overlay does. */
function hasFields({ properties }: JsonSchema): boolean {
  return properties !== undefined && Object.keys(properties).length > 0;
}

function section({ properties = {}, required = [], description }: JsonSchema, path: string): string {
  const rows = Object.entries(properties).map(([key, child]) => {
    const preset = required.includes(key) ? "**required**" : presetOf(child);
    return `| \`${key}\` | ${cell(formOf(child, `${path}.${key}`))} | ${preset} | ${
      cell(child.description ?? "")
    } |`;
  });
  const intro = path === "" || description === undefined ? "" : `${description}\n\n`;
  return `## ${titleOf(path)}

${intro}| Key | Value | Default | |
| --- | ----- | ------- | --- |
${rows.join("\n")}
`;
}

function titleOf(path: string): string {
  return path === "" ? "The whole" : `\`${path.slice(1)}\``;
}

/** What a page's own renderer makes of a heading: lower case, without marks, spaces as dashes. */
function anchorOf(path: string): string {
  return path === "" ? "the-whole" : path.toLowerCase().replace(/[^a-z0-9_-]/g, "");
}

function presetOf({ default: preset }: JsonSchema): string {
  if (["undefined", "{}", "[]", '""'].includes(String(JSON.stringify(preset)))) return "";
  if (Array.isArray(preset)) return `\`[${preset.join(", ")}]\``;
  return `\`${String(preset)}\``;
}

/** What may stand there, in words. */
function formOf(schema: JsonSchema, path: string): string {
  const { properties, items, anyOf, additionalProperties, enum: words, kind, type } = schema;
  if (hasFields(schema)) return `[map](#${anchorOf(path)})`;
  if (kind !== undefined) return KINDS[kind] ?? kind;
  if (words !== undefined) return [...new Set(words.map(String))].map((word) => `\`${word}\``).join(", ");
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (items !== undefined) return `list of: ${formOf(items, `${path}[]`)}`;
  if (anyOf !== undefined) return eitherOf(anyOf, path);
  if (properties !== undefined) return "changes";
  if (typeof additionalProperties === "object") {
    return `map of: ${formOf(additionalProperties, `${path}.NAME`)}`;
  }
  if (type === "integer") return `${schema.minimum} to ${schema.maximum}`;
  return type === "boolean" ? "`true`, `false`" : "text";
}

/** Kinds whose names are ours and not the reader's. */
const KINDS: Readonly<Record<string, string>> = { bind: "address", secret: "text" };

/** One or a list of the same is said shortly. */
function eitherOf(forms: readonly JsonSchema[], path: string): string {
  const words = forms.filter(({ type }) => type !== "null").map((form) => formOf(form, path));
  const [one, list] = words;
  return words.length === 2 && list === `list of: ${one}` ? `${one}, or a list` : words.join(" or ");
}

function cell(text: string): string {
  return text.replace(/\|/g, "\\|").replace(/\n/g, " ");
}
