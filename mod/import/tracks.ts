/**
 * What keepalived's instances and sync groups track, with the sections it names, as `track` of Tandem. Pure.
 *
 * What keepalived calls `reverse` is a weight of the other sign, on a thing that is good when it is bad.
 */
import { type Draft, duration, list, map, quoted, whole } from "./draft.ts";
import type { Statement } from "./keepalived_text.ts";

/** The sections that lists of tracked things name: by their keyword, by their name. */
export type TrackSections = Readonly<Record<string, ReadonlyMap<string, Statement>>>;

type Fields = readonly (readonly [key: string, value: string])[];

interface Weight {
  readonly value: number;
  readonly reverse: boolean;
}

/** The keywords of a section, by the list that names it. */
const SECTIONS: Readonly<Record<string, readonly string[]>> = {
  track_script: ["vrrp_script"],
  track_process: ["vrrp_track_process"],
  track_file: ["track_file", "vrrp_track_file"],
};
type Converter = (use: Statement, section: Statement, draft: Draft) => Fields | null;
const CONVERTERS: Readonly<Record<string, Converter>> = {
  track_script: scriptOf,
  track_process: processOf,
  track_file: fileOf,
};

/** More is no more: priorities are 1 to 254. */
const MAX_WEIGHT = 253;
/** How often Tandem looks at processes, in seconds. */
const LOOK_SECONDS = 1;
const MAX_RISE = 100;

/** `block` is that of an instance and that of its sync group. The keywords of `sections` are those of SECTIONS. */
export function tracksIn(block: readonly Statement[], sections: TrackSections, draft: Draft): string[] {
  const lines = (keyword: string) =>
    block.flatMap(({ words, block }) => words[0] === keyword ? block ?? [] : []);
  const all: (Fields | null)[] = lines("track_interface").map((use) => [
    ["interface", quoted(use.words[0]!)],
    ...weightFields(weightIn(use.words), false),
  ]);
  for (const [keyword, convert] of Object.entries(CONVERTERS)) {
    for (const use of lines(keyword)) {
      const found = SECTIONS[keyword]!.map((name) => sections[name]?.get(use.words[0]!));
      const section = found.find((one) => one !== undefined);
      if (section === undefined) draft.refuse(use, `names no ${SECTIONS[keyword]![0]}`);
      else all.push(convert(use, section, draft));
    }
  }
  return [...new Set(all.flatMap((fields) => fields === null ? [] : [map(fields)]))];
}

function scriptOf(use: Statement, script: Statement): Fields {
  const value = valuesOf(script);
  const timeout = duration(value("timeout")?.[1]);
  return [
    ["exec", list(commandOf(value("script") ?? []).map(quoted))],
    ["interval", duration(value("interval")?.[1]) ?? "1s"],
    ...timeout === null || timeout === "0s" ? [] : [["timeout", timeout] as const],
    ...counted("rise", value("rise")?.[1]),
    ...counted("fall", value("fall")?.[1]),
    ...value("init_fail") === undefined ? [] : [["initial", "bad"] as const],
    ...weightFields(weightIn(use.words) ?? weightIn(value("weight") ?? []), true),
  ];
}

function processOf(use: Statement, section: Statement, draft: Draft): Fields | null {
  const value = valuesOf(section);
  const [, path = "", ...parameters] = value("process") ?? [];
  const name = path.replace(/^.*\//, "").slice(0, 15);
  if (name === "" || parameters.length > 0 || value("full_command") !== undefined) {
    draft.refuse(use, "is not tracked: only the names of processes are compared, not their parameters");
    return null;
  }
  const rounds = (keyword: string) => {
    const seconds = Number(value(keyword)?.[1] ?? value("delay")?.[1] ?? 0);
    return seconds > 0 ? String(Math.min(MAX_RISE, 1 + Math.ceil(seconds / LOOK_SECONDS))) : undefined;
  };
  const [most, least] = [
    whole(value("quorum_max")?.[1], 0, 10_000),
    whole(value("quorum")?.[1], 0, 10_000) ?? "1",
  ];
  return [
    ["process", quoted(name)],
    ...least === "1" && most !== "0" ? [] : [["minRunning", most === "0" ? "0" : least] as const],
    ...most === null ? [] : [["maxRunning", most] as const],
    ...counted("rise", rounds("fork_delay")),
    ...counted("fall", rounds("terminate_delay")),
    ...weightFields(
      weightIn(use.words) ?? weightIn(value("weight") ?? []) ?? { value: 1, reverse: false },
      true,
    ),
  ];
}

function fileOf(use: Statement, section: Statement, draft: Draft): Fields | null {
  const value = valuesOf(section);
  const path = value("file")?.[1];
  if (path === undefined || !path.startsWith("/")) {
    draft.refuse(use, "is not tracked: names no file by its absolute path");
    return null;
  }
  const weight = weightIn(use.words) ?? weightIn(value("weight") ?? []) ?? { value: 1, reverse: false };
  if (weight.value === 0) return [["file", JSON.stringify(path)], ...weightFields(weight, true)];
  const sign = weight.reverse ? -1 : 1;
  return [["number", JSON.stringify(path)], ["weight", String(sign * weight.value)]];
}

function valuesOf(section: Statement): (keyword: string) => readonly string[] | undefined {
  return (keyword) => section.block?.findLast(({ words }) => words[0] === keyword)?.words;
}

function counted(key: string, text: string | undefined): Fields {
  const value = whole(text, 1, MAX_RISE);
  return value === null || value === "1" ? [] : [[key, value]];
}

/** Without a weight the thing is a fault, which an interface is by itself. */
function weightFields(weight: Weight | null, needsFault: boolean): Fields {
  const { value = 0, reverse = false } = weight ?? {};
  const inverted: Fields = reverse ? [["invert", "true"]] : [];
  if (value === 0) return [...inverted, ...needsFault ? [["fault", "true"] as const] : []];
  return [...inverted, ["weight", String(reverse ? -value : value)]];
}

/** Null: none is given, or one that is none. */
function weightIn(words: readonly string[]): Weight | null {
  const at = words.indexOf("weight");
  const text = at < 0 ? undefined : words[at + 1];
  const reverse = words.includes("reverse");
  if (text === undefined || !/^[+-]?\d{1,10}$/.test(text)) return reverse ? { value: 0, reverse } : null;
  return { value: Math.max(-MAX_WEIGHT, Math.min(MAX_WEIGHT, Number(text))), reverse };
}

/** Absolute programs run as they are; what wants a search path or a shell gets one. */
export function commandOf(words: readonly string[]): string[] {
  const command = words.slice(1);
  const parts = command.length === 1 ? command[0]!.trim().split(/\s+/) : command;
  if (parts[0]?.startsWith("/") === true && !/[|&;<>()$`\\"'*?~]/.test(parts.join(" "))) return parts;
  const shell = /\/dev\/(tcp|udp)\//.test(parts.join(" ")) ? "/bin/bash" : "/bin/sh";
  return [shell, "-c", command.join(" ")];
}
