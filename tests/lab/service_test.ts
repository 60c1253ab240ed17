/**
 * The package under a systemd of the test's own: the unit as it is, with its user, its capabilities, its system calls
 * and its read-only files, through start, reload, a kill, a freeze and the stop.
 */
import { buildDeb } from "../../packaging/deb.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { binary } from "./binary.ts";
import { ThrowawayRoot } from "./throwaway_root.ts";
import { labTest } from "./tools.ts";

const VIP = "10.99.0.100";
const CONFIG = (body: string, more = "") => `
listeners: [{ name: web, bind: ":80", routes: [{ respond: { body: "${body}" } }] }]
pools: {}
vrrp:
  instances:
    - name: edge
      interface: eth9
      routerId: 7
      addresses: ["${VIP}/24"]
      owners: [n1, n2]
      advertInterval: 200ms
      keys: [{ id: 1, secret: "\${TANDEM_KEY}" }]
${more}`;

const NEEDS = ["binary", "root", "namespaces", "boot", "curl", "dpkg-deb", "nsenter"];

class Machine {
  constructor(readonly root: ThrowawayRoot, readonly directory: string) {}

  async write(name: string, text: string): Promise<void> {
    await Deno.writeTextFile(`${this.directory}/file`, text);
    await this.root.must("mkdir", "-p", name.slice(0, name.lastIndexOf("/")));
    await this.root.must("cp", "--no-preserve=mode", "/mnt/file", name);
  }

  async show(property: string): Promise<string> {
    return (await this.root.must("systemctl", "show", "tandem", "--property", property, "--value")).trim();
  }

  async until(wanted: () => Promise<boolean>): Promise<void> {
    while (!await wanted()) await new Promise((resolve) => setTimeout(resolve, 50));
  }

  async holdsVip(): Promise<boolean> {
    return (await this.root.must("ip", "address", "show", "dev", "eth9")).includes(` ${VIP}/`);
  }

  async answers(body: string): Promise<void> {
    await this.until(async () =>
      (await this.root.run("curl", "-s", "-m", "2", `http://${VIP}/`)).text === body
    );
  }

  async log(): Promise<string> {
    return await this.root.must("journalctl", "--unit", "tandem", "--no-pager", "--output", "cat");
  }
}

async function withMachine(use: (machine: Machine) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "tandem-service-" });
  try {
    const options = {
      target: Deno.build.target,
      binary: await binary(),
      output: directory,
      compression: "none",
    };
    const deb = await buildDeb(options);
    await using root = await ThrowawayRoot.boot(directory);
    const machine = new Machine(root, directory);
    await root.must("dpkg", "--install", `/mnt/${deb.slice(deb.lastIndexOf("/") + 1)}`);
    for (const args of ["link add eth9 type veth peer name eth8", "address add 10.99.0.1/24 dev eth9"]) {
      await root.must("ip", ...args.split(" "));
    }
    for (const device of ["eth9", "eth8"]) await root.must("ip", "link", "set", device, "up");
    await machine.write("/etc/default/tandem", "TANDEM_NODE=n1\nTANDEM_KEY=0123456789abcdef\n");
    await use(machine);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

labTest("tandem.service starts, reloads, is upgraded, comes back after a kill and a freeze, and stops", [
  ...NEEDS,
], async () => {
  await withMachine(async (machine) => {
    const { root } = machine;
    await machine.write("/etc/tandem/tandem.yaml", CONFIG("one"));
    await machine.write("/etc/systemd/system/tandem.service.d/test.conf", "[Service]\nWatchdogSec=3s\n");
    await root.must("systemctl", "daemon-reload");
    await root.must("systemctl", "start", "tandem");
    // Started means that it serves: there is nothing to wait for.
    assertEquals(await root.must("curl", "-s", "-m", "2", "http://127.0.0.1/"), "one");
    await machine.answers("one");
    await machine.until(async () => await machine.show("StatusText") === "configuration 1, edge active");

    const first = await machine.show("MainPID");
    const status = await root.must("cat", `/proc/${first}/status`);
    for (
      const line of [
        "CapEff:\t0000000000003400",
        "CapBnd:\t0000000000003400",
        "NoNewPrivs:\t1",
        "Seccomp:\t2",
      ]
    ) {
      assertStringIncludes(status, line);
    }
    assert(!/^Uid:\t0/m.test(status), "it runs as root");

    const toJournal = "log: { access: combined, accessTo: journald }";
    await machine.write("/etc/tandem/tandem.yaml", CONFIG("two", toJournal));
    await root.must("systemctl", "reload", "tandem");
    await machine.answers("two");
    await machine.until(async () =>
      (await root.must("journalctl", "TANDEM_LOG=access", "--output", "cat")).includes(
        '"GET / HTTP/1.1" 200 ',
      )
    );
    const file = "/var/log/tandem/access.log";
    await machine.write(
      "/etc/tandem/tandem.yaml",
      CONFIG("two", `log: { access: combined, accessTo: ${file} }`),
    );
    await root.must("systemctl", "reload", "tandem");
    await machine.until(async () => await machine.show("StatusText") === "configuration 3, edge active");
    assertEquals([await machine.show("ActiveState"), await machine.show("MainPID")], ["active", first]);
    await machine.answers("two");
    await machine.until(async () => (await root.must("cat", file)).includes('"GET / HTTP/1.1" 200 '));

    await root.must("cp", "/usr/bin/tandem", "/usr/bin/tandem.new");
    await root.must("mv", "/usr/bin/tandem.new", "/usr/bin/tandem");
    await root.must("tandem", "upgrade", "--socket", "/run/tandem/n1.sock");
    assert(await machine.holdsVip());
    const upgraded = await machine.show("MainPID");
    assert(upgraded !== first, "systemd knows which process the node is now");
    // The old one ends when it has drained, and that is no end of the service.
    await machine.until(async () => (await root.run("kill", "-0", first)).code !== 0);
    await machine.until(async () => await machine.show("StatusText") === "configuration 1, edge active");
    assertEquals(
      [await machine.show("ActiveState"), await machine.show("NRestarts"), await machine.show("MainPID")],
      ["active", "0", upgraded],
    );
    await root.must("systemctl", "reload", "tandem");
    await machine.until(async () => await machine.show("StatusText") === "configuration 2, edge active");

    await root.must("kill", "-KILL", upgraded);
    await machine.until(async () => await machine.show("NRestarts") === "1");
    await machine.answers("two");
    const second = await machine.show("MainPID");
    await root.must("kill", "-STOP", second);
    await machine.until(async () => await machine.show("NRestarts") === "2");
    await machine.answers("two");

    await root.must("systemctl", "stop", "tandem");
    assertEquals(
      [await machine.show("ActiveState"), await machine.show("Result"), await machine.holdsVip()],
      ["inactive", "success", false],
    );
    // What a service of its confinement may not do would be seen here.
    const problems = (await machine.log()).split("\n").filter((line) => line.includes('"level":"error"'));
    assertEquals(problems, []);
  });
});
