/** What the node says of its certificates by ACME. Pure. */
import type { CertificateEntry } from "../../observe/certificate_list.ts";
import { span } from "../status_table.ts";
import { type Finding, ok, problem, warning } from "./finding.ts";

const FIX = "see tandem certificates; once the reason is gone, tandem certificates renew NAME does not wait";

/** `now` is milliseconds since 1970. Those of files are told of elsewhere. */
export function hadFindings(entries: readonly CertificateEntry[], now: number): Finding[] {
  return entries.filter(({ state }) => state !== "file").map(({ name, expiresAt, lastError }) => {
    const why = lastError === "" ? "" : `: ${lastError.replaceAll("\n", " ")}`;
    if (expiresAt === null) {
      const text = `${name} (acme) has none that clients trust${why}`;
      return why === "" ? warning("certificates", text, FIX) : problem("certificates", text, FIX);
    }
    if (expiresAt <= now) return problem("certificates", `${name} (acme) has expired${why}`, FIX);
    const left = `${name} (acme) expires in ${span(expiresAt - now)}`;
    return why === ""
      ? ok("certificates", left)
      : warning("certificates", `${left}, and cannot be renewed${why}`, FIX);
  });
}
