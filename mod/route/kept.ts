/**
 * Templates in two steps: what a request says is read while it is there, each value once, and the text is made
 * when it is needed, which for an answer is when the buffer with the request is long gone. Pure.
 */
import type { Reference, Template } from "./template.ts";
import type { AnswerSource, AnswerVariable, RequestSource, RequestVariable } from "./variables.ts";

/** Text, the place of a value that was kept, a variable of the answer, or a group. */
type TextPiece = string | { readonly kept: number } | Reference<AnswerVariable> | number;
export type Text = readonly TextPiece[];

/** The values that some texts need of a request. */
export class Keeper {
  readonly #references: Reference<RequestVariable>[] = [];

  /** A template whose values `read` is going to keep. */
  text(template: Template): Text {
    return template.map((piece) => {
      if (typeof piece !== "object") return piece;
      const { variable, argument } = piece;
      return variable.of === "response" ? { variable, argument } : { kept: this.#place(variable, argument) };
    });
  }

  /** Reads the values into `kept`, whatever was in it. */
  read(source: RequestSource, kept: string[]): void {
    const references = this.#references;
    for (let at = 0; at < references.length; at++) {
      const { variable, argument } = references[at]!;
      kept[at] = variable.read(source, argument);
    }
  }

  #place(variable: RequestVariable, argument: string): number {
    const references = this.#references;
    const known = references.findIndex((one) => one.variable === variable && one.argument === argument);
    return known >= 0 ? known : references.push({ variable, argument }) - 1;
  }
}

/** The text. `answer` is null where no variable of one can be. */
export function fillText(
  text: Text,
  kept: readonly string[],
  answer: AnswerSource | null,
  groups: readonly string[] = [],
): string {
  let filled = "";
  for (let at = 0; at < text.length; at++) {
    const piece = text[at]!;
    if (typeof piece === "string") filled += piece;
    else if (typeof piece === "number") filled += groups[piece] ?? "";
    else if ("kept" in piece) filled += kept[piece.kept]!;
    else filled += piece.variable.read(answer!, piece.argument);
  }
  return filled;
}
