/** Colours of what is printed: on a terminal, unless its user wants none (no-color.org). Pure. */

const CODES = { green: 32, yellow: 33, red: 31, bold: 1, dim: 2 } as const;

export type Colour = keyof typeof CODES;
export type Paint = (colour: Colour, text: string) => string;

/** By the third column of the tables of a status: what stands in it of servers and nodes. */
const STATES: Readonly<Record<string, Colour>> = {
  up: "green",
  active: "green",
  down: "red",
  fault: "red",
  ejected: "red",
  silent: "red",
  drain: "yellow",
  maint: "yellow",
  unknown: "yellow",
  initialize: "yellow",
};
const STATE_CELL = /^( {2}\S+ {2,}\S+ {2,})([a-z]+)(?= |$)/gm;

/** Colours the states in the tables of a status. */
export function paintStates(table: string, paint: Paint): string {
  return table.replace(STATE_CELL, (all: string, before: string, state: string) => {
    const colour = STATES[state];
    return colour === undefined ? all : before + paint(colour, state);
  });
}

/** `noColour`: what NO_COLOR says; any text but the empty one means none. */
export function painter(isTerminal: boolean, noColour: string | undefined): Paint {
  if (!isTerminal || noColour) return (_, text) => text;
  return (colour, text) => `\x1b[${CODES[colour]}m${text}\x1b[0m`;
}
