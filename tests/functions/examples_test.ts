/** The modules of the examples, as a node bundles and calls them. */
import { startBundler } from "../../mod/cli/own_flags.ts";
import { functionsOf } from "../../mod/config/functions.ts";
import { buildFunctions } from "../../mod/functions/build_io.ts";
import { contextOf } from "../../mod/functions/context_io.ts";
import { assertEquals } from "../assert.ts";
import { good } from "../config/reading.ts";

const EXAMPLES = new URL("../../examples/", import.meta.url).pathname;

Deno.test("examples() the modules of functions.yaml answer and pass on", async () => {
  const config = await good(Deno.readTextFileSync(`${EXAMPLES}functions.yaml`));
  const functions = functionsOf(config);
  const built = await buildFunctions(
    functions,
    EXAMPLES,
    startBundler(new URL("../../main.ts", import.meta.url)),
  );
  if ("problems" in built) throw new Error(JSON.stringify(built.problems));
  Deno.env.set("EDGE_KEYS", "ada:secret,bob:other");
  const [hello, guard] = await Promise.all(
    built.functions.map(async ({ code }) =>
      (await import("data:text/javascript;charset=utf-8," + encodeURIComponent(code))).default
    ),
  );
  Deno.env.delete("EDGE_KEYS");
  const ask = (
    who: { fetch: (...given: unknown[]) => Response },
    path: string,
    headers: HeadersInit = {},
  ) => {
    const request = new Request(`http://a.test${path}`, { headers });
    return who.fetch(request, contextOf(request, ["app"]));
  };
  assertEquals(await ask(hello, "/hello/Ada%20L").text(), "Hello, Ada L!\n");
  assertEquals(ask(guard, "/").status, 401);
  const { headers } = ask(guard, "/", { "x-key": "other" });
  assertEquals([headers.get("tandem-next"), headers.get("tandem-request-x-user")], ["app", "bob"]);
});
