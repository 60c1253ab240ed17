/**
 * Ends an HTTP server of ours for good, within a bounded time.
 *
 * The runtime's shutdown waits for every request under way, and a request whose body never comes is under way for
 * ever: without a bound one such client would keep the process from its end.
 */

/** Our answers are made at once, so that whoever is not done by then never will be. */
const SHUTDOWN_MS = 1000;

/** Stops accepting and answers what has come; what is left then is left to the end of the process. */
export async function stopServer(server: Deno.HttpServer, withinMs = SHUTDOWN_MS): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, withinMs);
  await Promise.race([server.shutdown(), late]);
  clearTimeout(timer);
}
