/** @jsxImportSource hono/jsx */
/** What a reload would change now: the file compared with what runs. Pure. */
import type { Plan } from "../../mod/runtime/desk.ts";
import { Button } from "./button.tsx";

const SIGNS = { added: "+", removed: "−", changed: "~" } as const;

/** Null: the keeper does not answer. */
export function planView(plan: Plan | null): string {
  return (<PlanView plan={plan} />).toString();
}

function PlanView({ plan }: { plan: Plan | null }) {
  if (plan === null) return <p class="bad">The keeper does not answer: nothing is known of the file.</p>;
  const { problems, changes } = plan;
  if (problems.length > 0) {
    return (
      <div class="bad">
        <p>A reload would be refused, and the node run on as it is:</p>
        <pre>{problems.join("\n")}</pre>
      </div>
    );
  }
  if (changes.length === 0) return <p>The file says what runs.</p>;
  return (
    <>
      <p>
        A reload would change this:{" "}
        <Button id="reload" method="POST" path="api/reload" confirm="Put the file in force?" label="Reload" />
      </p>
      <ul class="plan">
        {changes.map(({ what, name, change, fields, effect }) => (
          <li>
            <span aria-hidden="true">{SIGNS[change]}</span> {what} <strong>{name}</strong> {change}
            {fields.length > 0 && `: ${fields.join(", ")}`}
            {effect !== "" && <small>{effect}</small>}
          </li>
        ))}
      </ul>
    </>
  );
}
