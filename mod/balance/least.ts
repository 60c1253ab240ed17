/**
 * Weighted least connections, as in nginx: the server with the fewest requests under way for its weight, counted
 * over all workers; among equals turns by weight. It must not know latency.
 */
import { LowestScore } from "./lowest.ts";
import type { Policy, PolicyOptions, ServerView } from "./policy.ts";

export function least(options: PolicyOptions): Policy {
  return new LeastConnections(options);
}

class LeastConnections extends LowestScore {
  protected override score(scores: Float64Array, servers: ServerView, index: number, weight: number): void {
    scores[index] = servers.active(index) / weight;
  }
}
