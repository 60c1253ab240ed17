/** The tls check: the server completes a handshake. Its probe is an edge's own. Pure. */
import { checkKind } from "../check_kind.ts";
import { host } from "./fields.ts";

export const tls = checkKind({ is: "a handshake", fields: { host }, expect: {} });
