/**
 * Lines as messages of syslog. Pure.
 *
 * To a server: RFC 5424, over TCP with the length before it (RFC 6587 section 3.4.1). To a socket of this machine: the
 * older form that every daemon reads there (RFC 3164 section 4.1, without a host name, as libc's syslog() writes it).
 */

/** Facility and severity in one number (RFC 5424 section 6.2.1). */
export function syslogPriority(facility: number): number {
  return facility * 8 + INFORMATIONAL;
}

const INFORMATIONAL = 6;
const APP = "tandem";

export interface SyslogSender {
  readonly priority: number;
  readonly host: string;
  readonly pid: number;
}

/** RFC 5424 section 6; `MSGID` tells the log's lines from others of the program. `now`: milliseconds since 1970. */
export function syslogMessage({ priority, host, pid }: SyslogSender, now: number, line: string): string {
  return `<${priority}>1 ${new Date(now).toISOString()} ${printable(host)} ${APP} ${pid} access - ${line}`;
}

/** For a socket of this machine, in its local time, whose offset from UTC is `offsetMs`. */
export function localMessage(
  { priority, pid }: SyslogSender,
  now: number,
  offsetMs: number,
  line: string,
): string {
  const time = new Date(now + offsetMs);
  const day = String(time.getUTCDate()).padStart(2);
  const clock = time.toISOString().slice(11, 19);
  return `<${priority}>${MONTHS[time.getUTCMonth()]} ${day} ${clock} ${APP}[${pid}]: ${line}`;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** A word of the header: printable ASCII, or "-" for none. */
function printable(word: string): string {
  return word.replace(/[^\x21-\x7e]/g, "?").slice(0, 255) || "-";
}

/** What journald takes: a field a line (https://systemd.io/JOURNAL_NATIVE_PROTOCOL/). A line of text has no newline. */
export function journalEntry(line: string): string {
  return `MESSAGE=${line}\nPRIORITY=${INFORMATIONAL}\nSYSLOG_IDENTIFIER=${APP}\nTANDEM_LOG=access\n`;
}
