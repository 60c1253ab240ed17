/** The fields of `log`: what is logged, how, and where the access log goes. Pure. */
import { z } from "zod";
import { formatHostPort, parseHostPort } from "../base/address.ts";
import { acrossIssue, choice, integer, line, size } from "./fields.ts";

/** Facilities of RFC 5424 section 6.2.1, in the order of their numbers. */
const FACILITIES = [
  ...["kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp"],
  ...["ntp", "audit", "alert", "clock"],
  ...["local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"],
] as const;

/** Where lines of the access log go. */
export type AccessTarget =
  | { readonly kind: "stderr" | "stdout" | "journald" }
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "udp" | "tcp"; readonly host: string; readonly port: number };

const HINT =
  "must be stderr, stdout, journald, the absolute path of a file, or a syslog server as unix:/dev/log, " +
  "udp://host:514 or tcp://host:601";
const NO_FILE = "is no file for a log: say stdout or stderr for those of the program";

const accessTo = line(1).transform((text, context): AccessTarget => {
  const target = parseTarget(text);
  const device = target?.kind === "file" && /^\/(dev|proc)\//.test(target.path);
  if (target !== null && !device) return target;
  context.addIssue({ code: "custom", message: device ? NO_FILE : HINT });
  return z.NEVER;
}).meta({ kind: "destination" });

const rotate = z.strictObject({
  size: size(64 * 1024).prefault("100m").describe("A file that has grown to this size is renamed."),
  keep: integer(1, 1000).prefault(7).describe("Renamed files that are kept: `FILE.1` is the newest."),
});

export const LogSchema = z.strictObject({
  level: choice("debug", "info", "warning", "error").prefault("info").describe("Least level that is logged."),
  format: choice("auto", "text", "json").prefault("auto").describe(
    "`auto`: text on a terminal, JSON otherwise.",
  ),
  access: choice("off", "json", "combined", "haproxy").prefault("off").describe(
    "Access log: one line a request.",
  ),
  accessTo: accessTo.prefault("stderr").describe(
    "Where the access log goes: `stderr`, `stdout`, `journald`, the path of a file, or a syslog server " +
      "(`unix:/dev/log`, `udp://host:514`, `tcp://host:601`).",
  ),
  rotate: rotate.optional().describe(
    "How the access log's file is kept small. Without: somebody else renames it.",
  ),
  facility: z.enum(FACILITIES).prefault("local0").describe("Facility of the access log at a syslog server."),
}).superRefine(({ accessTo, rotate }, context) => {
  if (rotate === undefined || accessTo.kind === "file") return;
  context.addIssue(acrossIssue("is for an access log that goes to a file", "rotate"));
});

export type LogConfig = z.output<typeof LogSchema>;

/** The number of a facility. */
export function facilityNumber(name: LogConfig["facility"]): number {
  return FACILITIES.indexOf(name);
}

/** As `accessTo` is written. */
export function formatTarget(target: AccessTarget): string {
  if (target.kind === "file") return target.path;
  if (target.kind === "unix") return `unix:${target.path}`;
  return "host" in target ? `${target.kind}://${formatHostPort(target.host, target.port)}` : target.kind;
}

/** `sun_path` of Linux holds 108 bytes with its final zero. */
const SOCKET_PATH = /^unix:(\/.{1,106})$/;

function parseTarget(text: string): AccessTarget | null {
  if (text === "stderr" || text === "stdout" || text === "journald") return { kind: text };
  if (/^\/.*[^/]$/.test(text)) return { kind: "file", path: text };
  const path = SOCKET_PATH.exec(text)?.[1];
  if (path !== undefined) return { kind: "unix", path };
  const [, kind, rest = ""] = /^(udp|tcp):\/\/(.+)$/.exec(text) ?? [];
  const address = parseHostPort(rest);
  if (kind === undefined || address === null || address.port === 0) return null;
  return { kind: kind as "udp" | "tcp", ...address };
}
