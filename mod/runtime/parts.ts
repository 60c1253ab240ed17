/**
 * A long text in messages that fit into a line each, and back. Pure.
 */

/** UTF-16 units of text in one part: JSON needs at most six bytes for one, so a part always fits. */
export const PART_UNITS = 8 * 1024;
/** Parts of one text, so 32 Mi units: far above any real file. */
export const MAX_PARTS = 4096;

export interface Part {
  readonly part: number;
  readonly parts: number;
  readonly text: string;
}

/** Cuts a text, in order. Throws when it needs more than `MAX_PARTS` parts; `what` names it. */
export function cut(what: string, whole: string): Part[] {
  const parts = Math.max(1, Math.ceil(whole.length / PART_UNITS));
  if (parts > MAX_PARTS) {
    throw new Error(
      `Cannot hand over the ${what} as it may have ${MAX_PARTS * PART_UNITS} characters: ` +
        `it has ${whole.length}`,
    );
  }
  return Array.from({ length: parts }, (_, part) => ({
    part,
    parts,
    text: whole.slice(part * PART_UNITS, (part + 1) * PART_UNITS),
  }));
}

/** Puts the parts of one text together; a part out of order starts over with an error. */
export class Assembler {
  #id: string | number | null = null;
  #parts: string[] = [];

  /** The whole text after the last part of the text `id`, null before, or why the part does not fit. */
  add(id: string | number, part: Part): { text: string } | { reason: string } | null {
    if (part.part === 0) this.#begin(id);
    if (id !== this.#id || part.part !== this.#parts.length || part.part >= part.parts) {
      this.#begin(null);
      return { reason: `part ${part.part} of ${part.parts} of ${id} is out of order` };
    }
    this.#parts.push(part.text);
    if (this.#parts.length < part.parts) return null;
    const text = this.#parts.join("");
    this.#begin(null);
    return { text };
  }

  #begin(id: string | number | null): void {
    this.#id = id;
    this.#parts = [];
  }
}
