/**
 * Finds the data worker that hangs: each adds one to its own word of a shared array every 250 ms, and the control
 * thread looks as often. Looks are counted, not milliseconds, so that a stall of the whole process (SIGSTOP, a
 * sleeping virtual machine) accuses nobody. Pure.
 */

/** How often a worker beats and the control thread looks. */
export const PULSE_MS = 250;
/** Looks without a beat that mean "hung": 5 s. A full garbage collection of a large heap takes well under 1 s. */
export const HUNG_LOOKS = 20;

export class PulseWatch {
  #seen: number[] = [];
  #still: number[] = [];

  /** A worker was started: it has all the time again. */
  reset(worker: number): void {
    this.#still[worker] = 0;
    this.#seen[worker] = -1;
  }

  /** One look at a worker's beat. True: it hangs. */
  look(worker: number, beat: number): boolean {
    if (this.#seen[worker] !== beat) {
      this.#seen[worker] = beat;
      this.#still[worker] = 0;
      return false;
    }
    const still = (this.#still[worker] ?? 0) + 1;
    this.#still[worker] = still;
    return still >= HUNG_LOOKS;
  }
}
