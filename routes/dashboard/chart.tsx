/** @jsxImportSource hono/jsx */
/** A line over the last minutes, as a picture with words. Pure. */

const WIDTH = 300;
const HEIGHT = 60;

export interface ChartProps {
  readonly title: string;
  readonly unit: string;
  /** One or more lines, each by its name; null: nothing is known of that moment. */
  readonly lines: Readonly<Record<string, readonly (number | null)[]>>;
}

/** Lines on one scale from 0; the caption says the last and the greatest value of each. */
export function Chart({ title, unit, lines }: ChartProps) {
  const named = Object.entries(lines);
  const most = Math.max(1, ...named.flatMap(([, values]) => values.map((value) => value ?? 0)));
  const words = named.map(([name, values]) => {
    const known = values.filter((value) => value !== null);
    const [last, top] = [known.at(-1), Math.max(...known)];
    return known.length === 0 ? `${name}: nothing yet` : `${name}: ${short(last!)}, at most ${short(top)}`;
  });
  return (
    <figure>
      <figcaption>
        <strong>{title}</strong> ({unit})<br />
        {words.map((word, at) => <span class={`line${at}`}>{word}</span>)}
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${title}: ${words.join("; ")}`}
      >
        {named.map(([, values], at) => <polyline class={`line${at}`} points={pointsOf(values, most)} />)}
      </svg>
    </figure>
  );
}

function pointsOf(values: readonly (number | null)[], most: number): string {
  const step = WIDTH / Math.max(1, values.length - 1);
  return values.flatMap((value, at) =>
    value === null
      ? []
      : [`${(at * step).toFixed(1)},${(HEIGHT - 1 - value / most * (HEIGHT - 2)).toFixed(1)}`]
  ).join(" ");
}

/** A number as it is read at a glance. */
export function short(value: number): string {
  if (value >= 10_000) return `${(value / 1000).toFixed(0)}k`;
  return value >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toFixed(1);
}
