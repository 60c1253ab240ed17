/** What becomes of the owner of the address in the benchmark of the election, and for how long it is watched. Pure. */

export const FAULTS = [
  "SIGTERM",
  "SIGKILL",
  "SIGSTOP",
  "link down",
  "one-way loss",
  "30 % loss",
  "pool down",
] as const;
/** Measured only when asked for by name: what should cost nothing at all. */
export const PEACEFUL = ["hand-over", "nothing"] as const;
export type Fault = typeof FAULTS[number] | typeof PEACEFUL[number];

/** A missed take-over takes four intervals; keepalived's scripts take two seconds to fail; leases two to end. */
const WINDOW_INTERVALS = 20;
const WINDOW_MS = 3000;
/** At 30 % three adverts in a row are lost once in 37 rounds: long enough to see it happen. */
const LOSS_INTERVALS = 80;

/** How long a run is watched from the fault on, in milliseconds. */
export function windowMs(fault: Fault, intervalMs: number): number {
  return WINDOW_MS + intervalMs * (fault === "30 % loss" ? LOSS_INTERVALS : WINDOW_INTERVALS);
}

/** From the fault on the struck node serves nobody, whatever addresses its kernel still has. */
export function silences(fault: Fault): boolean {
  return fault === "SIGKILL" || fault === "SIGSTOP" || fault === "link down";
}

/** Accepts a fault's name as it is easy to type: `link-down`, `30-%-loss`, `sigkill`. */
export function faultNamed(text: string): Fault | undefined {
  const plain = (name: string) => name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
  return [...FAULTS, ...PEACEFUL].find((fault) => plain(fault) === plain(text));
}
