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
  readonly type?: string;
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

/** The schema as editors want it: every value may also be an `${NAME}`. */
export function editorSchema(): JsonSchema {
  const schema = make((node) => {
    if (
      node.type === "integer" || node.type === "number" || node.type === "boolean" || node.enum !== undefined
    ) {
      allowReference(node);
    } else if (node.pattern !== undefined || (node.minLength ?? 0) > 1) allowReference(node);
  });
  return { ...schema, title: "Tandem configuration", required: ["listeners"] };
}

/** The schema as it is, for the reference page and for suggestions. */
export function plainSchema(): JsonSchema {
  return { ...make(() => {}), required: ["listeners"] };
}

type Mutable = { -readonly [key in keyof JsonSchema]: JsonSchema[key] };

function make(change: (node: Mutable) => void): JsonSchema {
  const options = {
    io: "input",
    // Refinements by function have no JSON Schema; the message of `check` says them.
    unrepresentable: "any",
    override: ({ jsonSchema }: { jsonSchema: unknown }) => change(jsonSchema as Mutable),
  } as const;
  return z.toJSONSchema(ConfigSchema, options) as JsonSchema;
}

/** Moves what restricts a value into one of two alternatives. */
function allowReference(node: Mutable): void {
  if (node.anyOf !== undefined) return;
  const { description, default: preset, kind, ...rest } = node;
  for (const key of Object.keys(rest)) delete node[key as keyof JsonSchema];
  if (description !== undefined) node.description = description;
  if (preset !== undefined) node.default = preset;
  if (kind !== undefined) node.kind = kind;
  node.anyOf = [rest, REFERENCE];
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
