/** What every file of the repository keeps to, checked on the text alone. */
import { assertEquals } from "../assert.ts";
import { files, read, ROOT } from "./tree.ts";

/** Tables may be longer; everything else that long wants to be two things. */
const MAX_LINES = 500;
const TABLES = new Set([
  "deno.lock",
  "LICENSE",
  "docs/coming-from.md",
  "docs/cli.md",
  "docs/config.md",
  "CHANGELOG.md",
  "packaging/grafana/tandem.json",
]);
const TEXT =
  /\.(tsx?|js|json|jsonc|lock|md|yaml|yml|sh|lua|cfg|conf|service|txt|html|css)$|^\.ci\/run$|^LICENSE$/;

const texts = files().filter((path) => TEXT.test(path));
const code = texts.filter((path) => /\.tsx?$/.test(path));
const source = code.filter((path) => !/^(tests|bench)\//.test(path));

/** `path:line` of every line that matches. */
function find(paths: readonly string[], pattern: RegExp): string[] {
  return paths.flatMap((path) =>
    read(path).split("\n").flatMap((line, at) => pattern.test(line) ? [`${path}:${at + 1}`] : [])
  );
}

function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** Hosts of the registries that this machine is set up with, other than npm's own. */
function registryHosts(): string[] {
  const settings = [Deno.env.get("NPM_CONFIG_REGISTRY"), Deno.env.get("npm_config_registry")];
  for (const path of [`${ROOT}/.npmrc`, `${Deno.env.get("HOME")}/.npmrc`, "/etc/npmrc", "/usr/etc/npmrc"]) {
    try {
      settings.push(
        ...Deno.readTextFileSync(path).matchAll(/registry\s*=\s*(\S+)/g).map((found) => found[1]),
      );
    } catch {
      // No such file here.
    }
  }
  const hosts = settings.flatMap((url) => url && URL.canParse(url) ? [new URL(url).host] : []);
  return [...new Set(hosts)].filter((host) => host !== "" && host !== "registry.npmjs.org");
}

Deno.test("files() none is longer than a file should be", () => {
  const long = texts.filter((path) => !TABLES.has(path) && read(path).split("\n").length > MAX_LINES + 1);
  assertEquals(long, []);
});

Deno.test("files() say what they are for in their first lines", () => {
  const headless = source.filter((path) => !/^(#!.*\n)?(\/\*\*|\/\/)/.test(read(path)));
  assertEquals(headless, []);
});

Deno.test("files() leave nothing for later", () => {
  const marks = new RegExp(`\\b(${["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"].join("|")})\\b`);
  assertEquals(find(texts.filter((path) => path !== "LICENSE"), marks), []);
});

Deno.test("files() grant every permission only to tests and benchmarks", () => {
  const paths = texts.filter((path) => !/^(tests|bench|\.ci)\/|^deno\.json$/.test(path));
  assertEquals(find(paths, /--allow-all|deno run -A\b/), []);
  const tasks = JSON.parse(read("deno.json")).tasks as Record<string, string>;
  const open = Object.entries(tasks).filter(([, command]) =>
    command.includes("--allow-all") && !/ (tests|bench)\//.test(command)
  );
  assertEquals(open, []);
});

Deno.test("files() name neither this machine's paths nor its package registry", () => {
  const checkout = new RegExp(`(^|[\\s"'\`=(:])(file://)?${literally(ROOT)}(/|["'\`)\\s]|$)`);
  assertEquals(find(texts, checkout), []);
  for (const host of registryHosts()) assertEquals(find(texts, new RegExp(literally(host))), [], host);
  assertEquals(find(["deno.lock"], /https?:\/\//), []);
});

Deno.test("files() start processes in one place", () => {
  const others = source.filter((path) =>
    path !== "mod/runtime/spawn_io.ts" && !path.startsWith("packaging/")
  );
  assertEquals(find(others, /Deno\.Command|node:child_process/), []);
});

Deno.test("files() word what was thrown by the one function that does", () => {
  const others = code.filter((path) => path !== "mod/base/reason.ts");
  assertEquals(find(others, /(\w+) instanceof Error \? \1\.message : (String\(\1\)|\1\b)/), []);
});

Deno.test("files() are named for what is in them", () => {
  assertEquals(files().filter((path) => /(^|\/)(utils?|helpers?|common|misc)\.ts$/.test(path)), []);
});

Deno.test("docs() every relative link leads to a file", () => {
  const all = new Set(files());
  const broken = texts.filter((path) => path.endsWith(".md")).flatMap((path) =>
    [...read(path).matchAll(/\]\((?![a-z]+:|#)([^)#\s]+)(#[^)]*)?\)/g)].flatMap((found) => {
      const target = decodeURIComponent(new URL(found[1] ?? "", `file:///${path}`).pathname.slice(1));
      const exists = all.has(target) ||
        files().some((file) => file.startsWith(`${target.replace(/\/$/, "")}/`));
      return exists ? [] : [`${path}: ${found[1]}`];
    })
  );
  assertEquals(broken, []);
});

/** The headings of a page, as a renderer names them. */
function anchorsOf(page: string): Set<string> {
  const titles = [...read(page).replaceAll(/^( *)```[^]*?^\1```/gm, "").matchAll(/^#+ (.*)$/gm)];
  const slug = (title: string) => title.toLowerCase().replace(/[^\p{L}\d _-]/gu, "").replaceAll(" ", "-");
  return new Set(titles.map(([, title = ""]) => slug(title)));
}

Deno.test("docs() every link to a heading leads to one", () => {
  const pages = texts.filter((path) => path.endsWith(".md"));
  const anchors = new Map(pages.map((page) => [page, anchorsOf(page)]));
  const broken = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\(([^)#:\s]*)#([^)\s]+)\)/g)].flatMap(([, path = "", anchor = ""]) => {
      const target = path === "" ? page : new URL(path, `file:///${page}`).pathname.slice(1);
      return anchors.get(target)?.has(anchor) === false ? [`${page}: ${path}#${anchor}`] : [];
    })
  );
  assertEquals(broken, []);
});

Deno.test("docs() every file of the source that a page names is there", () => {
  const all = files();
  const named = /`((?:mod|vrrp|routes|tests|bench|packaging|examples)\/[\w./-]*\w)\/?`/g;
  // The history names what was, and CONTRIBUTING.md a file that stands for any.
  const pages = texts.filter((path) => path.endsWith(".md") && path !== "CHANGELOG.md");
  const missing = pages.flatMap((page) =>
    [...read(page).matchAll(named)].flatMap(([, path = ""]) =>
      /\/x\//.test(path) || all.some((file) => file === path || file.startsWith(`${path}/`))
        ? []
        : [`${page}: ${path}`]
    )
  );
  assertEquals(missing, []);
});
