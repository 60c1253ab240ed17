/** @jsxImportSource hono/jsx */
/** A button that has the API do something: what, stands in its data, for the page's script. Pure. */

export interface ButtonProps {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly label: string;
  /** What it is done to, for those who hear the page. */
  readonly about?: string;
  readonly confirm?: string;
  /** What is said when the node has taken it. */
  readonly done?: string;
  readonly pressed?: boolean;
}

export function Button(
  { id, method, path, body, label, about = "", confirm = "", done = "Done", pressed }: ButtonProps,
) {
  return (
    <button
      type="button"
      id={id}
      data-method={method}
      data-path={path}
      data-body={body === undefined ? "" : JSON.stringify(body)}
      data-confirm={confirm}
      data-done={done}
      aria-pressed={pressed === undefined ? undefined : String(pressed)}
      aria-label={about === "" ? undefined : `${label} ${about}`}
    >
      {label}
    </button>
  );
}
