/** A request as the file cores see it. */
import type { RequestFacts } from "../../mod/route/match.ts";

/** `target` with or without a query; header names in lower case. */
export function factsOf(method: string, target: string, headers: Record<string, string> = {}): RequestFacts {
  const [path = "", query = ""] = target.split("?", 2);
  return {
    method,
    host: "a.test",
    path,
    query,
    client: "192.0.2.1",
    header: (name) => headers[name] ?? null,
  };
}
