/** `tandem doctor` on the nodes of a pair: what it finds of a machine that is made worse bit by bit. */
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import type { Finding } from "../../mod/cli/doctor/finding.ts";
import { LAB_NEEDS } from "./netns.ts";
import { Pair } from "./pair.ts";
import { labTest } from "./tools.ts";

labTest(
  "doctor() finds a firewall, an interface and a peer that are not as the election needs them",
  [...LAB_NEEDS, "curl", "nft"],
  async () => {
    await using pair = await Pair.start();
    const doctor = (...args: string[]) =>
      pair.lab.run(
        "lb1",
        ...["env", `RUNTIME_DIRECTORY=${pair.directory}`] as const,
        ...[...pair.program, "doctor", "--node", "lb1", "-c", `${pair.directory}/tandem.yaml`, ...args],
      );
    const problems = async () => {
      const { stdout } = await doctor("--json");
      const { findings } = JSON.parse(stdout) as { findings: Finding[] };
      return findings.filter(({ level }) => level === "problem").map(({ about, text }) =>
        `${about}: ${text}`
      );
    };
    assertEquals(await problems(), []);
    const well = await doctor();
    assertStringIncludes(well.stdout, "lb2 is heard, and has the same configuration");
    assertStringIncludes(well.stdout, "eth0 is up, has 10.77.0.11, and speaks by multicast");
    assert(well.success && !well.stdout.includes("\x1b"));

    const conntrackd = await doctor("--conntrackd");
    assertStringIncludes(conntrackd.stdout, "IPv4_address 10.77.0.11\n");
    assertStringIncludes(conntrackd.stdout, "IPv4_Destination_Address 10.77.0.12\n");

    const nft = (text: string) => pair.lab.must("lb1", "nft", text);
    await nft("add table inet cut; add chain inet cut in { type filter hook input priority 0; }");
    await nft("add rule inet cut in udp dport 8112 drop");
    assertEquals(await problems(), ["firewall: the chain inet cut in drops UDP port 8112"]);
    await nft("delete table inet cut");
    await pair.lab.ip("lb1", "link", "set", "eth0", "multicast", "off");
    assertEquals(await problems(), ["vrrp edge: eth0 has no multicast"]);
    assert(!(await doctor()).success);
  },
);
