import { facilityNumber, formatTarget, LogSchema } from "../../mod/config/log_schema.ts";
import { assertEquals } from "../assert.ts";

Deno.test("LogSchema reads where the access log goes, and writes it the same", () => {
  for (
    const text of [
      ...["stderr", "stdout", "journald", "/var/log/a.log", "unix:/dev/log"],
      ...["udp://10.0.0.9:514", "tcp://[fd00::9]:601", "udp://logs.example:514"],
    ]
  ) {
    assertEquals(formatTarget(LogSchema.parse({ accessTo: text }).accessTo), text);
  }
});

Deno.test("LogSchema refuses what is no destination, and a rotation without a file", () => {
  const refused = (log: unknown) =>
    LogSchema.safeParse(log).error?.issues.map(({ message }) => message) ?? [];
  const texts = [
    "",
    "file",
    "a.log",
    "/var/log/",
    "unix:dev/log",
    "unix:/" + "x".repeat(107),
    "udp://10.0.0.9",
  ];
  for (const text of [...texts, "udp://10.0.0.9:0", "http://10.0.0.9:80", "tcp://"]) {
    assertEquals(refused({ accessTo: text }).length, 1, text);
  }
  for (const text of ["/dev/stdout", "/proc/self/fd/1"]) {
    assertEquals(refused({ accessTo: text }), [
      "is no file for a log: say stdout or stderr for those of the program",
    ]);
  }
  assertEquals(refused({ rotate: {} }), ["is for an access log that goes to a file"]);
  assertEquals(refused({ accessTo: "/a", rotate: { size: "1k" } }), ["must be at least 64k"]);
});

Deno.test("facilityNumber() RFC 5424 section 6.2.1", () => {
  assertEquals([
    facilityNumber("kern"),
    facilityNumber("daemon"),
    facilityNumber("local0"),
    facilityNumber("local7"),
  ], [
    0,
    3,
    16,
    23,
  ]);
});
