/** What the renderer writes, beside files that hold what it is to write. `TANDEM_GOLDEN=write` writes them anew. */
import { type KernelPlan, kernelPlan, type Shares } from "../../mod/kernel/plan.ts";
import { good } from "../config/reading.ts";
import { assertEquals } from "../assert.ts";

/** The plan of a configuration, on node lb1. */
export async function planOf(text: string): Promise<KernelPlan> {
  return kernelPlan(await good(text), "lb1");
}

/** Servers of pool `app` by name; a name with `!` before it is down, one with `-` is up and closed. */
export function shares(given: Readonly<Record<string, number>>): Shares {
  const servers = Object.entries(given).map(([name, share]) =>
    [name.replace(/^[!-]/, ""), { share, up: !name.startsWith("!") }] as const
  );
  return new Map([["app", new Map(servers)]]);
}

export async function assertGolden(name: string, text: string): Promise<void> {
  const file = new URL(`golden/${name}`, import.meta.url);
  if (Deno.env.get("TANDEM_GOLDEN") === "write") await Deno.writeTextFile(file, text);
  assertEquals(text, await Deno.readTextFile(file));
}
