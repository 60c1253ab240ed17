/**
 * The JSON Schema of the configuration, for editors, for the reference page and for suggestions. Made from the one
 * schema, never written by hand. Pure.
 */
import { z } from "zod";
import type { Path } from "./problem.ts";
import { ConfigSchema } from "./schema.ts";

/** The parts of JSON Schema that the schema library writes and that are read here. */
export interface JsonSchema {
  readonly $schema?: string;
  readonly title?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: boolean | JsonSchema;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly minLength?: number;
  /** Ours: what a text means (duration, size, …). */
  readonly kind?: string;
}

const REFERENCE = { type: "string", pattern: "\\$\\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\\}" };

/** The schema as editors want it: every value that is restricted may also be an `${NAME}`. */
export function editorSchema(): JsonSchema {
  const schema = allowReferences(plainSchema());
  return { $schema: schema.$schema!, title: "Tandem configuration", ...schema };
}

/** The schema as it is, for the reference page and for suggestions. */
export function plainSchema(): JsonSchema {
  return plain ??= makePlainSchema();
}

/** Made when it is first wanted, and once: it takes longer than all else that is done to read a file. */
let plain: JsonSchema | null = null;

function makePlainSchema(): JsonSchema {
  // Refinements by function have no JSON Schema; the message of `check` says them.
  const schema = z.toJSONSchema(ConfigSchema, { io: "input", unrepresentable: "any" }) as JsonSchema;
  return { ...schema, required: ["listeners"] };
}

function allowReferences(schema: JsonSchema): JsonSchema {
  const { description, default: preset, kind, ...rest } = schema;
  if (isRestricted(rest)) {
    return {
      ...(description === undefined ? {} : { description }),
      ...(preset === undefined ? {} : { default: preset }),
      ...(kind === undefined ? {} : { kind }),
      anyOf: [rest, REFERENCE],
    };
  }
  const { properties, items, anyOf, additionalProperties } = schema;
  const each = (children: Readonly<Record<string, JsonSchema>>) =>
    Object.fromEntries(Object.entries(children).map(([key, child]) => [key, allowReferences(child)]));
  return {
    ...schema,
    ...(properties === undefined ? {} : { properties: each(properties) }),
    ...(items === undefined ? {} : { items: allowReferences(items) }),
    ...(anyOf === undefined ? {} : { anyOf: anyOf.map(allowReferences) }),
    ...(typeof additionalProperties === "object"
      ? { additionalProperties: allowReferences(additionalProperties) }
      : {}),
  };
}

/** True for a single value of which not every text is one. */
function isRestricted({ type, enum: words, pattern, minLength }: JsonSchema): boolean {
  return type === "integer" || type === "number" || type === "boolean" || words !== undefined ||
    pattern !== undefined || (minLength ?? 0) > 1;
}

/** Every schema that may stand at a path (several where there are alternatives). */
export function schemasAt(root: JsonSchema, path: Path): JsonSchema[] {
  let here = alternatives(root);
  for (const step of path) here = here.flatMap((schema) => below(schema, step)).flatMap(alternatives);
  return here;
}

/** The keys that are known at a path. */
export function keysAt(root: JsonSchema, path: Path): string[] {
  return schemasAt(root, path).flatMap((schema) => Object.keys(schema.properties ?? {}));
}

function alternatives(schema: JsonSchema): JsonSchema[] {
  return schema.anyOf === undefined ? [schema] : [schema, ...schema.anyOf.flatMap(alternatives)];
}

function below(schema: JsonSchema, step: string | number): JsonSchema[] {
  if (typeof step === "number") return schema.items === undefined ? [] : [schema.items];
  const named = schema.properties;
  if (named !== undefined && Object.hasOwn(named, step)) return [named[step]!];
  return typeof schema.additionalProperties === "object" ? [schema.additionalProperties] : [];
}
