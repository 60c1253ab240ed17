import { editorSchema, type JsonSchema, plainSchema, schemasAt } from "../../mod/config/json_schema.ts";
import { assert, assertEquals } from "../assert.ts";
import { good, poolWith, serversOf, SMALLEST } from "./reading.ts";

Deno.test("ConfigSchema() everything has a default but names, addresses and servers", async () => {
  const { listeners: _listeners, pools: _pools, ...rest } = await good(SMALLEST);
  assertEquals(rest, {
    log: { level: "info", format: "auto", access: "off", accessTo: { kind: "stderr" }, facility: "local0" },
    workers: "auto",
    drainTimeout: 30_000,
    kernel: { onExit: "remove" },
    cache: { maxSize: 64 * 1024 * 1024, maxObjectSize: 1024 * 1024 },
    vrrp: { startupDelay: 0, instances: [] },
  });
  const { admin } = await good(`${SMALLEST}\nadmin: {}`);
  assertEquals(admin, { bind: { host: "127.0.0.1", port: 9900 }, liveChanges: "keep" });
});

Deno.test("ConfigSchema() the forms of a server", async () => {
  const config = await good(serversOf(
    `["10.0.0.1:80", "[::1]:81", app.internal:82, { name: a, address: "10.0.0.2:80" }, ` +
      `{ dns: Db.Internal, port: 5432 }, { dns: _app._tcp.internal, type: SRV }]`,
  ));
  assertEquals(config.pools.app?.servers.map(({ name, source }) => [name, ...Object.values(source)]), [
    ["10.0.0.1:80", "address", "10.0.0.1", 80],
    ["[::1]:81", "address", "::1", 81],
    ["app.internal:82", "address", "app.internal", 82],
    ["a", "address", "10.0.0.2", 80],
    ["Db.Internal", "dns", "db.internal", "A", 5432],
    ["_app._tcp.internal", "dns", "_app._tcp.internal", "SRV", 0],
  ]);
});

Deno.test("ConfigSchema() passive checks are on, off or described", async () => {
  const passive = async (value: string) => (await good(poolWith(`passive: ${value}`))).pools.app?.passive;
  assertEquals(await passive("false"), null);
  assertEquals(await passive("true"), await passive("{}"));
  assertEquals((await passive("{ serverErrors: 50%, maxEjected: 1 }"))?.serverErrors, 0.5);
});

/** Every described place of a schema, with the path to it. */
function fields(schema: JsonSchema, path: string): [path: string, schema: JsonSchema][] {
  const below = (child: JsonSchema, step: string) => fields(child, `${path}${step}`);
  return [
    ...(schema.anyOf ?? []).flatMap((one) => below(one, "")),
    ...Object.entries(schema.properties ?? {}).flatMap(([key, child]) => [
      [`${path}.${key}`, child] as [string, JsonSchema],
      ...below(child, `.${key}`),
    ]),
    ...(schema.items === undefined ? [] : below(schema.items, "[]")),
    ...(typeof schema.additionalProperties === "object" ? below(schema.additionalProperties, ".*") : []),
  ];
}

Deno.test("plainSchema() every field says what it is for, in a sentence", () => {
  const all = fields(plainSchema(), "");
  assert(all.length > 70);
  const silent = all.filter(([path, { description }]) =>
    !/^\.(nodes|contexts)\./.test(path) && !/^[A-Z`][^]*[.)]$/.test(description ?? "")
  );
  assertEquals(silent.map(([path, { description }]) => `${path}: ${description}`), []);
});

Deno.test("editorSchema() lets a variable stand wherever a value is restricted", () => {
  const schema = editorSchema();
  for (const path of [["workers"], ["admin", "token"], ["pools", "a", "queue", "size"], ["log", "level"]]) {
    const takesVariable = schemasAt(schema, path).some(({ pattern }) => pattern?.includes("\\$\\{"));
    assert(takesVariable, path.join("."));
  }
  assertEquals(schema.properties?.drainTimeout?.default, "30s");
});
