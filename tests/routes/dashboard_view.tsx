/** @jsxImportSource hono/jsx */
/** The dashboard's view as text. */
import { View, type ViewProps } from "../../routes/dashboard/view.tsx";

export function viewText(props: ViewProps): string {
  return (<View {...props} />).toString();
}
