/**
 * Who came into which state, when and why, as far as this node knows: its own instances at once, those of its peers by
 * their reports. Pure, and bounded: what is oldest is forgotten.
 */
import type { TransitionStatus } from "../observe/election_status.ts";
import { Journal } from "../observe/journal.ts";

/** Nodes and instances whose last state is remembered; whoever is on the LAN may be a peer. */
const FOLLOWED = 1000;

export class Timeline {
  readonly #node: string;
  readonly #journal = new Journal<TransitionStatus>();
  /** Of peers. */
  readonly #states = new Map<string, string>();

  constructor(node: string) {
    this.#node = node;
  }

  get list(): readonly TransitionStatus[] {
    return this.#journal.list;
  }

  /** An instance of this node has come into a state. `at`: milliseconds since 1970. */
  own(
    at: number,
    { instance, from, to, why }: Pick<TransitionStatus, "instance" | "from" | "to" | "why">,
  ): void {
    this.#journal.add({ at, node: this.#node, instance, from, to, why });
  }

  /** A peer tells of its state; telling again changes nothing. */
  told(
    at: number,
    node: string,
    { instance, state, why }: {
      readonly instance: string;
      readonly state: TransitionStatus["to"];
      readonly why: string;
    },
  ): void {
    const key = `${node} ${instance}`;
    const from = (this.#states.get(key) ?? null) as TransitionStatus["from"];
    if (from === state) return;
    if (from === null && this.#states.size >= FOLLOWED) return;
    this.#states.set(key, state);
    this.#journal.add({ at, node, instance, from, to: state, why });
  }
}
