import { logLine, portLine, readLogLine, readPortLine } from "../../mod/functions/start.ts";
import { assertEquals } from "../assert.ts";

Deno.test("readPortLine() reads a port and nothing else", () => {
  assertEquals(readPortLine(portLine(40_000)), 40_000);
  for (const line of ["port 0", "port 65536", "port 1x", " port 1", "ready", "port -1"]) {
    assertEquals(readPortLine(line), null, line);
  }
});

Deno.test("readLogLine() gives back what was logged, in one line whatever it has in it", () => {
  const text = 'first\nsecond "quoted" \u001b[31m';
  const line = logLine("warning", text);
  assertEquals(line.includes("\n"), false);
  assertEquals(readLogLine(line), { level: "warning", text });
  for (const other of ["", "Fatal error", "info plain", 'loud "x"', 'info "cut']) {
    assertEquals(readLogLine(other), null, other);
  }
});
