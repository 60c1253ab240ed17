/**
 * Loaded before every test file by the test command: gives each test a deadline, so that one that hangs fails by name
 * and the others are still run and counted. A test that needs longer says so with its own `timeout`.
 */

/** The longest test runs for a minute; twice that on a busy machine. */
const DEFAULT_MS = 120_000;

type Fn = Deno.TestDefinition["fn"];

/** One definition out of all the ways to call `Deno.test`. */
function definition(args: readonly unknown[]): Deno.TestDefinition {
  const fn = args.find((argument) => typeof argument === "function") as Fn | undefined;
  const name = args.find((argument) => typeof argument === "string");
  const options = args.find((argument) => typeof argument === "object") as
    | Partial<Deno.TestDefinition>
    | undefined;
  // Deno 2.9.6 panics after a test with permissions of its own has timed out.
  const deadline = options?.permissions === undefined;
  return {
    ...(deadline ? { timeout: Number(Deno.env.get("TANDEM_TEST_TIMEOUT_MS") ?? DEFAULT_MS) } : {}),
    ...(fn === undefined ? {} : { fn, name: fn.name }),
    ...options,
    ...(name === undefined ? {} : { name }),
  } as Deno.TestDefinition;
}

const withDeadline = new Proxy(Deno.test, {
  apply: (test, self, args) => Reflect.apply(test, self, [definition(args)]),
});
Object.defineProperty(Deno, "test", { value: withDeadline });
