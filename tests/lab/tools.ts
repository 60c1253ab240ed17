/**
 * The programs that tests and benchmarks need besides Deno: where they are, and how to get them on Debian.
 *
 * A test that lacks one is skipped by name with the reason in its name, never silently. Nothing here knows what the
 * programs are used for. As root on a Debian machine `installTools` fetches what is missing, once for a whole run.
 */

import { unbootable } from "./throwaway_root.ts";

/** The Debian package of every program; `dnsmasq-base` and `mariadb-server-core` start no service of their own accord. */
const PACKAGES: Readonly<Record<string, string>> = {
  brotli: "brotli",
  chromium: "chromium",
  conntrack: "conntrack",
  conntrackd: "conntrackd",
  curl: "curl",
  htpasswd: "apache2-utils",
  dnsmasq: "dnsmasq-base",
  h2load: "nghttp2-client",
  haproxy: "haproxy",
  ip: "iproute2",
  iperf3: "iperf3",
  keepalived: "keepalived",
  mariadbd: "mariadb-server-core",
  nft: "nftables",
  nginx: "nginx libnginx-mod-stream",
  openssl: "openssl",
  pebble: "pebble",
  prometheus: "prometheus",
  postgres: "postgresql",
  promtool: "prometheus",
  "redis-server": "redis-server",
  rsyslogd: "rsyslog",
  setpriv: "util-linux",
  "systemd-analyze": "systemd",
  tcpdump: "tcpdump",
  tshark: "tshark",
  unshare: "util-linux",
  vrrpd: "frr",
  wrk: "wrk",
  zstd: "zstd",
};

/**
 * Prints the path of a base runtime for `deno compile`, which takes it from the network otherwise; stands beside the
 * repository. `DENORT_BIN` names another.
 */
export const BASE_RUNTIME = new URL("../../../shared/tools/base-runtime.sh", import.meta.url).pathname;

/** Debian keeps servers and network tools in sbin, which is not on everyone's PATH. */
const SYSTEM_DIRECTORIES = [
  "/usr/local/sbin",
  "/usr/sbin",
  "/sbin",
  "/usr/local/bin",
  "/usr/bin",
  "/bin",
  "/usr/lib/frr",
  "/usr/lib/postgresql/15/bin",
];
const APT_ATTEMPTS = 3;

/**
 * What a lab test may need: a program by name, to be root, to make network namespaces, to compile the binary, or to boot
 * a systemd of its own.
 */
export type Need = "root" | "namespaces" | "binary" | "boot" | (string & Record<never, never>);

/** Where a program is, or why a test that needs it is skipped. */
export type Tool = { readonly path: string } | { readonly skip: string };

/** Finds a program on PATH or in the system's directories. Installs nothing. */
export function requireTool(name: string): Tool {
  for (const directory of new Set([...(Deno.env.get("PATH") ?? "").split(":"), ...SYSTEM_DIRECTORIES])) {
    const path = `${directory}/${name}`;
    try {
      if (directory !== "" && Deno.statSync(path).isFile) return { path };
    } catch {
      // Not here: the next directory.
    }
  }
  const source = PACKAGES[name];
  return { skip: source === undefined ? `needs ${name}` : `needs ${name} (Debian: ${source})` };
}

/** Why a need is not met; null when it is. */
export function missing(need: Need): string | null {
  if (need === "root") return Deno.uid() === 0 ? null : "needs root";
  if (need === "namespaces") return missing("root") ?? namespacesMissing();
  if (need === "boot") return missing("systemd-analyze") ?? unbootable();
  if (need === "binary") return missing("npx") ?? binaryMissing();
  const tool = requireTool(need);
  return "skip" in tool ? tool.skip : null;
}

/**
 * Registers a test that runs only when all its needs are met. A test that cannot run is registered as ignored
 * under its name and the reason, which the test command lists.
 */
export function labTest(
  name: string,
  needs: readonly Need[],
  fn: (t: Deno.TestContext) => void | Promise<void>,
) {
  const reasons = needs.map(missing).filter((reason) => reason !== null);
  if (reasons.length === 0) Deno.test(name, fn);
  else Deno.test({ name: `${name} (skipped: ${reasons.join(", ")})`, ignore: true, fn });
}

/** Installs the missing ones of `names` (all known ones by default) when that is possible here; says what it does. */
export async function installTools(names: readonly string[] = Object.keys(PACKAGES)): Promise<void> {
  const wanted = names.filter((name) => missing(name) !== null);
  if (wanted.length === 0 || Deno.uid() !== 0 || "skip" in requireTool("apt-get")) return;
  const packages = wanted.flatMap((name) => (PACKAGES[name] ?? "").split(" ")).filter((name) => name !== "");
  console.error(`Installing what tests need and is missing: ${packages.join(" ")}`);
  for (let attempt = 1; attempt <= APT_ATTEMPTS; attempt++) {
    if (
      await aptGet(["update", "-q"]) &&
      await aptGet(["install", "-qy", "--no-install-recommends", ...packages])
    ) {
      return;
    }
  }
  console.error("Could not install them: the tests that need them are skipped by name.");
}

async function aptGet(args: string[]): Promise<boolean> {
  const env = { DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" }; // RUNLEVEL 1: packages do not start their services
  const command = new Deno.Command("apt-get", {
    args: ["-o", "Acquire::Retries=3", ...args],
    env,
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  });
  return (await command.output()).success;
}

function namespacesMissing(): string | null {
  const unshare = requireTool("unshare");
  if ("skip" in unshare) return unshare.skip;
  const made = new Deno.Command(unshare.path, { args: ["--net", "true"], stdout: "null", stderr: "null" })
    .outputSync();
  return made.success ? missing("ip") : "needs network namespaces";
}

function binaryMissing(): string | null {
  if (Deno.build.target !== "x86_64-unknown-linux-gnu") return "needs an x86-64 Linux";
  return Deno.env.get("DENORT_BIN") ? null : missing("npm") ?? scriptMissing(BASE_RUNTIME);
}

function scriptMissing(path: string): string | null {
  try {
    Deno.statSync(path);
    return null;
  } catch {
    return "needs a base runtime for deno compile (DENORT_BIN)";
  }
}
