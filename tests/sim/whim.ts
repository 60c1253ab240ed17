/** What clients of a simulated chaos do beside asking: leave in one way or another, stop reading, go on. */
import type { SimClient } from "./parties.ts";

export interface Whimsical {
  readonly client: SimClient;
  /** It broke off or stopped of its own will. */
  left: boolean;
}

/** Perhaps does one of these. The number that chooses its request, 0.3 to 1, if it is to make one; else null. */
export function whim(talk: Whimsical, random: () => number): number | null {
  const { peer, ended } = talk.client;
  if (talk.left || ended || random() < 0.5) return null;
  const dice = random();
  if (dice >= 0.3) return dice;
  if (dice < 0.06) {
    talk.left = true;
    peer[dice < 0.02 ? "end" : dice < 0.04 ? "hangUp" : "reset"]();
  } else if (dice < 0.12) peer.stop();
  else peer.go();
  return null;
}
