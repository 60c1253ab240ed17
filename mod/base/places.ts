/** Places that are taken and left again, each kind counted for itself. Whoever takes one knows how many there are. */
export class Places {
  readonly #taken = new Map<string, number>();

  /** Takes one of `most` places of a kind; what leaves it again, once; null: all are taken. */
  take(kind: string, most: number): (() => void) | null {
    const taken = this.#taken.get(kind) ?? 0;
    if (taken >= most) return null;
    this.#taken.set(kind, taken + 1);
    return () => {
      const left = this.#taken.get(kind)! - 1;
      if (left === 0) this.#taken.delete(kind);
      else this.#taken.set(kind, left);
    };
  }
}
