/**
 * The time as a worker's events see it: looked at once for all events of one turn of the event loop.
 *
 * Events of one turn were there together, so that time stands still between them is nearer to the truth than to count
 * our own work. A look costs 0.1 µs and the precise clock 0.3 µs more, so the latter is looked at only when the wall
 * clock has moved on by a millisecond. Pure: the clocks are parameters.
 */
export class TurnClock {
  /** Milliseconds on a clock that never jumps. */
  now: number;
  /** Milliseconds since the epoch. */
  wall: number;
  #looked = false;

  constructor(readonly wallClock: () => number, readonly steadyClock: () => number) {
    this.now = steadyClock();
    this.wall = wallClock();
  }

  /** To be called before every event. */
  tick(): void {
    if (this.#looked) return;
    this.#looked = true;
    // Behind the events of this turn, all of which wait in the queue already.
    TURN.then(this.#endOfTurn);
    const present = this.wallClock();
    if (present === this.wall) return;
    this.wall = present;
    this.now = this.steadyClock();
  }

  #endOfTurn = (): void => {
    this.#looked = false;
  };
}

const TURN = Promise.resolve();
