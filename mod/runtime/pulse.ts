/**
 * Finds the data worker that hangs: each adds one to its own word of a shared array every 250 ms, and the control
 * thread looks as often. Looks are counted, not milliseconds, so that a stall of the whole process (SIGSTOP, a
 * sleeping virtual machine) accuses nobody. Pure.
 */

/** How often a worker beats and the control thread looks. */
export const PULSE_MS = 250;
/** Looks without a beat that mean "hung": 5 s. A full garbage collection of a large heap takes well under 1 s. */
export const HUNG_LOOKS = 20;
/** The same until the first beat: 15 s, as code is loaded, perhaps compiled, on a busy machine. */
export const STARTUP_LOOKS = 60;

interface Seen {
  beat: number;
  still: number;
  beaten: boolean;
}

export class PulseWatch {
  #seen: Seen[] = [];

  /** A worker was started, while its word was `beat`. */
  reset(worker: number, beat: number): void {
    this.#seen[worker] = { beat, still: 0, beaten: false };
  }

  /** One look at a worker's word. True: it hangs. */
  look(worker: number, beat: number): boolean {
    const seen = this.#seen[worker];
    if (seen === undefined) throw new Error(`Cannot look at worker ${worker} as it was not started`);
    if (seen.beat !== beat) {
      this.#seen[worker] = { beat, still: 0, beaten: true };
      return false;
    }
    seen.still++;
    return seen.still >= (seen.beaten ? HUNG_LOOKS : STARTUP_LOOKS);
  }
}
