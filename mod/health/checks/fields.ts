/** Settings that several kinds of check have. Pure. */
import { z } from "zod";
import { isHostName, parseIp } from "../../base/address.ts";
import { flag, line } from "../../config/fields.ts";

/** An address or a name; an IPv6 address with or without brackets. */
const hostField = line(1, 255).refine(
  (text) => isHostName(text) || parseIp(text.replace(/^\[(.*)\]$/, "$1")) !== null,
  "must be a host name or an IP address, without a port",
);

export const host = hostField.optional().describe(
  "`Host` header or `:authority`, and the TLS server name of type tls. Without: the server's address.",
);

export const user = line(1, 128).optional().describe(
  "Name to log in with. Without, to be turned away is good for postgres and mysql.",
);

export const startTls = flag().prefault(false).describe(
  "Begins plainly and asks the server for TLS: `STARTTLS` of SMTP, `SSLRequest` of PostgreSQL. Without `tls` of the check or the pool certificates are not verified.",
);

export const database = line(1, 128).optional().describe("Database to open.");

export const password = z.string().min(1, "must not be empty").max(512).meta({ kind: "secret" }).optional()
  .describe("Password to log in with.");
