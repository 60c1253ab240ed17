/** The table of kinds of checks. A new kind is a file in `checks/` and one line here. Pure. */
import type { CheckKind } from "./check_kind.ts";
import { dns } from "./checks/dns.ts";
import { exec } from "./checks/exec.ts";
import { grpc } from "./checks/grpc.ts";
import { http } from "./checks/http.ts";
import { mysql } from "./checks/mysql.ts";
import { postgres } from "./checks/postgres.ts";
import { redis } from "./checks/redis.ts";
import { smtp } from "./checks/smtp.ts";
import { tcp } from "./checks/tcp.ts";
import { tls } from "./checks/tls.ts";
import { udp } from "./checks/udp.ts";

const KINDS = { http, tcp, tls, udp, grpc, dns, smtp, redis, postgres, mysql, exec };

export type CheckType = keyof typeof KINDS;

export const CHECK_KINDS: Readonly<Record<CheckType, CheckKind>> = KINDS;

export const CHECK_TYPES = Object.keys(KINDS) as [CheckType, ...CheckType[]];

/** The types of check that have a field; `below` `expect` or not. */
export function typesWith(field: string, below: "fields" | "expect"): CheckType[] {
  return CHECK_TYPES.filter((type) => field in CHECK_KINDS[type][below]);
}
