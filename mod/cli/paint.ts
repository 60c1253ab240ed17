/** Colours of what is printed: on a terminal, unless its user wants none (no-color.org). Pure. */

const CODES = { green: 32, yellow: 33, red: 31, bold: 1, dim: 2 } as const;

export type Colour = keyof typeof CODES;
export type Paint = (colour: Colour, text: string) => string;

/** `noColour`: what NO_COLOR says; any text but the empty one means none. */
export function painter(isTerminal: boolean, noColour: string | undefined): Paint {
  if (!isTerminal || noColour) return (_, text) => text;
  return (colour, text) => `\x1b[${CODES[colour]}m${text}\x1b[0m`;
}
