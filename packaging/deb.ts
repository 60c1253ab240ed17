/**
 * `deno task deb`: a Debian package of the binary, its systemd files and a configuration to begin with.
 *
 * A table of files is copied to a directory as they will stand on the machine, and `dpkg-deb` packs it. The same
 * commit gives the same package.
 */
import { reasonOf } from "../mod/base/reason.ts";
import { parseArgs } from "node:util";
import settings from "../deno.json" with { type: "json" };
import { TARGETS } from "./base_runtime.ts";
import { compile } from "./compile.ts";
import { controlFile, debVersion } from "./deb_control.ts";
import { commitOf, must, ROOT } from "./process_io.ts";
import { buildVersion } from "./stamp.ts";

const ARCHITECTURES: Readonly<Record<string, string>> = { [TARGETS[0]]: "amd64", [TARGETS[1]]: "arm64" };
const DOCS = "usr/share/doc/tandem";

/** From the repository to the machine; directories with all their files. */
const FILES: readonly (readonly [from: string, to: string])[] = [
  ["packaging/tandem.service", "usr/lib/systemd/system/tandem.service"],
  ["packaging/sysusers.conf", "usr/lib/sysusers.d/tandem.conf"],
  ["packaging/tmpfiles.conf", "usr/lib/tmpfiles.d/tandem.conf"],
  ["packaging/sysctl.conf", "usr/lib/sysctl.d/60-tandem.conf"],
  ["packaging/tandem.yaml", "etc/tandem/tandem.yaml"],
  ["packaging/default", "etc/default/tandem"],
  ["packaging/prometheus/tandem.rules.yaml", "usr/share/tandem/prometheus/tandem.rules.yaml"],
  ["packaging/grafana/tandem.json", "usr/share/tandem/grafana/tandem.json"],
  ["LICENSE", `${DOCS}/copyright`],
  ["README.md", `${DOCS}/README.md`],
  ["CHANGELOG.md", `${DOCS}/CHANGELOG.md`],
  ["docs", `${DOCS}/docs`],
  ["examples", `${DOCS}/examples`],
];
const SCRIPTS = ["postinst", "prerm", "postrm"];
const DIRECTORY_MODE = 0o755;
const FILE_MODE = 0o644;
const PROGRAM_MODE = 0o755;

export interface DebOptions {
  readonly target: string;
  /** A binary that was compiled before; null: it is compiled now. */
  readonly binary: string | null;
  /** Directory for the package. */
  readonly output: string;
  /** As `dpkg-deb -Z` takes it. */
  readonly compression: string;
}

/** Builds the package, and gives its path. */
export async function buildDeb({ target, binary, output, compression }: DebOptions): Promise<string> {
  const architecture = ARCHITECTURES[target];
  if (architecture === undefined) {
    throw new Error(`Cannot package for ${target}: it must be ${TARGETS.join(" or ")}`);
  }
  const version = debVersion(buildVersion(settings.version, await commitOf(settings.version)));
  const root = await Deno.makeTempDir({ prefix: "tandem-deb-" });
  try {
    await Deno.mkdir(`${root}/usr/bin`, { recursive: true });
    if (binary === null) await compile(target, `${root}/usr/bin/tandem`);
    else await Deno.copyFile(binary, `${root}/usr/bin/tandem`);
    for (const [from, to] of FILES) await copy(`${ROOT}/${from}`, `${root}/${to}`);
    const installed = await settle(root);
    await Deno.mkdir(`${root}/DEBIAN`, { mode: DIRECTORY_MODE });
    for (const name of SCRIPTS) await put(`${root}/DEBIAN/${name}`, await script(name), PROGRAM_MODE);
    await put(`${root}/DEBIAN/conffiles`, conffiles(), FILE_MODE);
    await put(`${root}/DEBIAN/control`, controlFile({ version, architecture, bytes: installed }), FILE_MODE);
    await Deno.mkdir(output, { recursive: true });
    const path = `${output}/tandem_${version}_${architecture}.deb`;
    const epoch = (await must("git", ["log", "-1", "--format=%ct"]).catch(() => "")).trim();
    await must("dpkg-deb", ["--root-owner-group", `-Z${compression}`, "--build", root, path], {
      ...(epoch === "" ? {} : { SOURCE_DATE_EPOCH: epoch }),
    });
    return path;
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

async function copy(from: string, to: string): Promise<void> {
  if ((await Deno.stat(from)).isDirectory) {
    for await (const { name } of Deno.readDir(from)) {
      // The generator of pages is no page.
      if (!name.endsWith(".ts")) await copy(`${from}/${name}`, `${to}/${name}`);
    }
    return;
  }
  await Deno.mkdir(to.slice(0, to.lastIndexOf("/")), { recursive: true });
  await Deno.copyFile(from, to);
}

/** Gives every file its mode, whatever it has in the repository. The bytes of all. */
async function settle(directory: string): Promise<number> {
  let bytes = 0;
  await Deno.chmod(directory, DIRECTORY_MODE);
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    const path = `${directory}/${name}`;
    if (isDirectory) {
      bytes += await settle(path);
      continue;
    }
    await Deno.chmod(path, path.endsWith("/usr/bin/tandem") ? PROGRAM_MODE : FILE_MODE);
    bytes += (await Deno.stat(path)).size;
  }
  return bytes;
}

async function script(name: string): Promise<string> {
  return await Deno.readTextFile(`${ROOT}/packaging/deb/${name}.sh`);
}

/** What the administrator may change, and an update must not. */
function conffiles(): string {
  return FILES.filter(([, to]) => to.startsWith("etc/")).map(([, to]) => `/${to}\n`).join("");
}

async function put(path: string, text: string, mode: number): Promise<void> {
  await Deno.writeTextFile(path, text);
  await Deno.chmod(path, mode);
}

async function main(): Promise<number> {
  const text = { type: "string" } as const;
  const { values } = parseArgs({ options: { target: text, binary: text, output: text, compression: text } });
  try {
    const path = await buildDeb({
      target: values.target ?? Deno.build.target,
      binary: values.binary ?? null,
      output: values.output ?? `${ROOT}/dist`,
      compression: values.compression ?? "xz",
    });
    console.log(path);
    return 0;
  } catch (error) {
    console.error(reasonOf(error));
    return 1;
  }
}

if (import.meta.main) Deno.exit(await main());
