import { journalEntry, localMessage, syslogMessage, syslogPriority } from "../../mod/observe/syslog.ts";
import { assertEquals } from "../assert.ts";

const AT = Date.UTC(2026, 0, 2, 3, 4, 5, 6);
const sender = { priority: syslogPriority(16), host: "lb1", pid: 42 };

Deno.test("syslogMessage() RFC 5424 section 6: version, time, host, program, process, kind, no structured data", () => {
  assertEquals(
    syslogMessage(sender, AT, "GET / 200"),
    "<134>1 2026-01-02T03:04:05.006Z lb1 tandem 42 access - GET / 200",
  );
  assertEquals(syslogMessage({ ...sender, host: "a b\n" }, AT, "x").split(" ")[2], "a?b?");
});

Deno.test("localMessage() RFC 3164 section 4.1: the day takes two places, the time is of the place", () => {
  assertEquals(localMessage(sender, AT, 0, "x"), "<134>Jan  2 03:04:05 tandem[42]: x");
  assertEquals(localMessage(sender, AT, -4 * 3_600_000, "x"), "<134>Jan  1 23:04:05 tandem[42]: x");
});

Deno.test("journalEntry() is a field a line", () => {
  assertEquals(
    journalEntry("a=b c"),
    "MESSAGE=a=b c\nPRIORITY=6\nSYSLOG_IDENTIFIER=tandem\nTANDEM_LOG=access\n",
  );
});
