/**
 * Writes the pages that are made from the code: `deno task docs`.
 */
import type { Command } from "../mod/cli/command.ts";
import { manualPage } from "../mod/cli/manual.ts";
import { COMMANDS } from "../mod/cli/table.ts";
import { plainSchema } from "../mod/config/json_schema.ts";
import { referencePage } from "../mod/config/reference.ts";

/** Every command that people call. */
export async function described(): Promise<{ name: string; command: Command }[]> {
  const shown = Object.entries(COMMANDS).filter(([, { hidden }]) => hidden !== true);
  return await Promise.all(
    shown.map(async ([name, { load }]) => ({ name, command: (await load()).command })),
  );
}

if (import.meta.main) {
  Deno.writeTextFileSync(new URL("config.md", import.meta.url), referencePage(plainSchema()));
  Deno.writeTextFileSync(new URL("cli.md", import.meta.url), manualPage(await described()));
}
