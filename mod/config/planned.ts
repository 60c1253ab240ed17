/**
 * What the configuration will have and this version does not: named, so that the answer is honest. Pure data.
 */
import type { Path } from "./problem.ts";

/** Values by the shape of the path they stand at: `*` is any name, `#` any index. */
const VALUES: ReadonlyMap<string, readonly string[]> = new Map([
  ["pools.*.check.type", ["grpc", "dns"]],
]);

export function isPlannedValue(path: Path, value: unknown): boolean {
  return typeof value === "string" && (VALUES.get(shapeOf(path))?.includes(value) ?? false);
}

function shapeOf(path: Path): string {
  return path.map((step, at) => typeof step === "number" ? "#" : at === 1 && path[0] === "pools" ? "*" : step)
    .join(".");
}
