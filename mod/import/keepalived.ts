/**
 * From a keepalived configuration to a `tandem.yaml`: what has an equivalent is converted, and for each line that has
 * none there is a comment with the line's number. Pure.
 */
import { Draft, duration, quoted } from "./draft.ts";
import { reasonOfGlobal } from "./global_options.ts";
import { expandLines, type LinesOptions, type Source } from "./keepalived_lines.ts";
import { parseKeepalived, type Statement } from "./keepalived_text.ts";
import { type Imported, importVirtualServer } from "./virtual_servers.ts";
import { importInstance, type VrrpContext } from "./vrrp_instances.ts";
import { type Fate, SYNC_GROUP_OPTIONS, TRACKED, UNKNOWN_OPTION } from "./vrrp_options.ts";

/** Sections that are used by others. */
const SECTIONS: Readonly<Record<string, string>> = {
  static_ipaddress: "addresses that never move are the system's affair",
  static_routes: "routes are the system's affair",
  static_rules: "rules are the system's affair",
  static_track_group: "has no equivalent",
  bfd_instance: "speaks no BFD",
  SSL: "certificates for checks have no equivalent",
  linkbeat_use_polling: "links are heard of by netlink",
};

/** Sections that are converted. */
const KEYWORDS = [
  "global_defs",
  "vrrp_instance",
  "vrrp_sync_group",
  "virtual_server",
  "virtual_server_group",
];

/** What of global_defs has an equivalent. */
const GLOBALS = [
  "script_user",
  "vrrp_version",
  "vrrp_startup_delay",
  "vrrp_garp_master_delay",
  "vrrp_garp_master_repeat",
  "vrrp_garp_master_refresh",
  "vrrp_garp_master_refresh_repeat",
];

/** False: nothing in it is of keepalived, so that it is another program's. */
export function isKeepalived(source: Source, options: LinesOptions): boolean {
  const statements = parseKeepalived(expandLines(source, options).lines);
  return statements.some(({ words: [keyword = ""] }) => {
    return KEYWORDS.includes(keyword) || Object.hasOwn(SECTIONS, keyword) || Object.hasOwn(TRACKED, keyword);
  });
}

export function importKeepalived(source: Source, options: LinesOptions): string {
  const { lines, skipped, problems } = expandLines(source, options);
  const statements = parseKeepalived(lines);
  const rest = new Draft();
  for (const { place, text } of skipped) rest.note(place, `${text}: is for another id (--id)`);
  for (const { place, text } of problems) rest.note(place, text);
  const named = (keyword: string) =>
    new Map(statements.filter(({ words }) => words[0] === keyword).map((one) => [one.words[1] ?? "", one]));
  const instances = statements.filter(({ words }) => words[0] === "vrrp_instance");
  const context: VrrpContext = {
    sections: Object.fromEntries(Object.keys(TRACKED).map((keyword) => [keyword, named(keyword)])),
    global: (keyword) => globalWords(statements, keyword)?.[0],
    groups: groupsOf(statements, rest),
  };
  const scriptUser = globalWords(statements, "script_user")?.slice(0, 2).join(":") ?? null;
  const startupDelay = duration(context.global("vrrp_startup_delay"));
  const groups = named("virtual_server_group");
  const vrrp = unique(instances, rest).map((one) => importInstance(one, context));
  const servers = new Map<string, Imported>();
  for (const one of statements) {
    if (one.words[0] === "virtual_server") {
      const imported = importVirtualServer(one, groups, rest);
      if (imported === null) continue;
      if (servers.has(imported.name)) rest.refuse(one, "stands here twice");
      else servers.set(imported.name, imported);
    } else noteSection(one, rest);
  }
  return write({ file: source.file, rest, vrrp, servers: [...servers.values()], scriptUser, startupDelay });
}

/** The words behind a keyword of global_defs; null: it is not there. */
function globalWords(statements: readonly Statement[], keyword: string): readonly string[] | null {
  const all = statements.filter(({ words }) => words[0] === "global_defs").flatMap(({ block }) =>
    block ?? []
  );
  return all.findLast(({ words }) => words[0] === keyword)?.words.slice(1) ?? null;
}

function unique(instances: readonly Statement[], rest: Draft): Statement[] {
  const names = new Set<string>();
  return instances.filter((one) => {
    const name = one.words[1] ?? "";
    if (names.has(name)) rest.refuse(one, "stands here twice");
    return !names.has(name) && names.add(name);
  });
}

/** Each instance by the first group that names it. */
function groupsOf(statements: readonly Statement[], rest: Draft): VrrpContext["groups"] {
  const groups = new Map<string, Statement>();
  for (const group of statements.filter(({ words }) => words[0] === "vrrp_sync_group")) {
    for (const member of membersOf(group)) {
      if (!groups.has(member)) groups.set(member, group);
      else rest.note(group.place, `${group.text}: ${member} is of another sync group already`);
    }
  }
  return groups;
}

function membersOf(group: Statement): string[] {
  const block = group.block?.find(({ words }) => words[0] === "group");
  return (block?.block ?? []).flatMap(({ words }) => words);
}

function noteSection(one: Statement, rest: Draft): void {
  const [keyword = ""] = one.words;
  if (keyword === "global_defs") {
    for (const inner of one.block ?? []) {
      if (GLOBALS.includes(inner.words[0]!)) continue;
      rest.refuse(inner, reasonOfGlobal(inner.words[0]!));
    }
  } else if (keyword === "vrrp_sync_group") refuseUnknown(one, SYNC_GROUP_OPTIONS, rest);
  else if (TRACKED[keyword] !== undefined) refuseUnknown(one, TRACKED[keyword], rest);
  else if (keyword !== "vrrp_instance" && keyword !== "virtual_server_group") {
    rest.refuse(one, SECTIONS[keyword] ?? "is not known to tandem import");
  }
}

function refuseUnknown(section: Statement, options: Readonly<Record<string, Fate>>, rest: Draft): void {
  for (const inner of section.block ?? []) {
    const fate = options[inner.words[0]!];
    if (fate?.fate !== "taken") rest.refuse(inner, fate?.text ?? UNKNOWN_OPTION);
  }
}

interface Parts {
  readonly file: string;
  readonly rest: Draft;
  readonly vrrp: readonly Draft[];
  /** `user` or `user:group`. */
  readonly scriptUser: string | null;
  readonly startupDelay: string | null;
  readonly servers: readonly Imported[];
}

function write({ file, rest, vrrp, servers, scriptUser, startupDelay }: Parts): string {
  const lines = [
    `# From ${
      JSON.stringify(file)
    } by tandem import. A comment that begins with the number of a line there is about what`,
    "# has no equivalent here. Check what you read, then: tandem check",
    ...rest.comments(""),
    "",
  ];
  if (servers.length === 0) {
    lines.push(
      "# There was no virtual server that could be converted, and a node wants a listener: replace this one.",
      "listeners:",
      '  - { name: placeholder, bind: "127.0.0.1:8080", routes: [{ respond: { status: 200 } }] }',
    );
  } else {
    lines.push(
      "# Bound to addresses that move: set net.ipv4.ip_nonlocal_bind=1 (and net.ipv6.ip_nonlocal_bind), or bind to :PORT.",
      "listeners:",
      ...servers.flatMap(({ listener }) => listener.lines("    ", "  - ")),
      "pools:",
      ...servers.flatMap(({ name, pool }) => [`  ${JSON.stringify(name)}:`, ...pool.lines("    ")]),
    );
  }
  if (vrrp.length > 0) {
    const user = scriptUser === null ? [] : [`  scriptUser: ${quoted(scriptUser)}`];
    const delay = startupDelay === null ? [] : [`  startupDelay: ${startupDelay}`];
    lines.push(
      "vrrp:",
      ...user,
      ...delay,
      "  instances:",
      ...vrrp.flatMap((draft) => draft.lines("      ", "    - ")),
    );
  }
  return lines.join("\n") + "\n";
}
