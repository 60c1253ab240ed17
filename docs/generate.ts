/**
 * Writes the pages that are made from the code: `deno task docs`.
 */
import { plainSchema } from "../mod/config/json_schema.ts";
import { referencePage } from "../mod/config/reference.ts";

const PAGE = new URL("config.md", import.meta.url);

if (import.meta.main) Deno.writeTextFileSync(PAGE, referencePage(plainSchema()));
