/** The systemd unit, by systemd's own judgement. */
import { assert, assertEquals } from "../assert.ts";
import { read, ROOT } from "../style/tree.ts";
import { labTest } from "./tools.ts";

/** 0 is confined in every way, 10 in none. */
const MAX_EXPOSURE = 2.5;

labTest("tandem.service is confined as far as its work allows", ["systemd-analyze"], async () => {
  const args = [
    "security",
    "--offline=yes",
    `--threshold=${MAX_EXPOSURE * 10}`,
    "--no-pager",
    `${ROOT}/packaging/tandem.service`,
  ];
  const { code, stdout } = await new Deno.Command("systemd-analyze", { args, stderr: "null" }).output();
  assertEquals(code, 0, new TextDecoder().decode(stdout));
});

labTest("tandem.service names nothing that systemd does not know", ["systemd-analyze"], async () => {
  const directory = await Deno.makeTempDir({ prefix: "tandem-unit-" });
  try {
    // Whether the program is installed is not the question here: the package's test has the unit as it is.
    const unit = read("packaging/tandem.service").replaceAll("/usr/bin/tandem", "/bin/true");
    const path = `${directory}/tandem.service`;
    await Deno.writeTextFile(path, unit);
    const { code, stderr } = await new Deno.Command("systemd-analyze", { args: ["verify", path] }).output();
    assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("tandem.service runs as a user of its own, with three capabilities", () => {
  const unit = read("packaging/tandem.service");
  const three = "CAP_NET_ADMIN CAP_NET_RAW CAP_NET_BIND_SERVICE";
  for (const line of ["User=tandem", `AmbientCapabilities=${three}`, `CapabilityBoundingSet=${three}`]) {
    assert(unit.includes(`\n${line}\n`), line);
  }
});
