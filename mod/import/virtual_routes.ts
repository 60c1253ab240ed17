/**
 * keepalived's `virtual_routes` and `virtual_rules`, which are written as for `ip`, as those of Tandem. What has more than
 * Tandem knows is refused as a whole: half a route is a wrong one. Pure.
 */
import { parseCidr, parseIp } from "../base/address.ts";
import { type Draft, map, quoted, whole } from "./draft.ts";
import type { Statement } from "./keepalived_text.ts";

type Fields = [key: string, value: string][];

const TYPES = ["blackhole", "unreachable", "prohibit", "unicast"];
const TABLES: Readonly<Record<string, string>> = { default: "253", main: "254", local: "255" };
const MAX_NUMBER = 999_999_999;
/** Of rules without one; the kernel would choose. */
const GUESSED_PRIORITY = 1000;

/** The routes of one family, as YAML. */
export function routesIn(block: readonly Statement[], six: boolean, draft: Draft): string[] {
  return linesOf(block, "virtual_routes").flatMap((one) => {
    const fields = routeOf([...one.words], six);
    if (typeof fields === "string") draft.refuse(one, fields);
    return typeof fields === "string" ? [] : [map(fields)];
  });
}

/** The rules of one family, as YAML. */
export function rulesIn(block: readonly Statement[], six: boolean, draft: Draft): string[] {
  return linesOf(block, "virtual_rules").flatMap((one, at) => {
    const fields = ruleOf([...one.words], six);
    if (typeof fields === "string") {
      draft.refuse(one, fields);
      return [];
    }
    if (!fields.some(([key]) => key === "priority")) {
      const priority = String(GUESSED_PRIORITY + at);
      draft.note(one.place, `${one.text}: the priority ${priority} is a guess`);
      fields.push(["priority", priority]);
    }
    return [map(fields)];
  });
}

function linesOf(block: readonly Statement[], keyword: string): Statement[] {
  return block.flatMap(({ words, block }) => words[0] === keyword ? block ?? [] : []);
}

/** Or why not. */
function routeOf(words: string[], six: boolean): Fields | string {
  const fields: Fields = [];
  const type = TYPES.includes(words[0]!) ? words.shift()! : "unicast";
  while (words.length > 0) {
    const word = words.shift()!;
    const next = () => words.shift() ?? "";
    switch (word) {
      // Is always so: a route that is lost is put back.
      case "no_track":
      case "inet6":
        break;
      case "via":
      case "gw":
        if (!push(fields, "via", addressOf(next(), six))) return "has no next hop of the addresses' family";
        break;
      case "src":
        if (!push(fields, "source", addressOf(next(), six))) return "has no source of the addresses' family";
        break;
      case "dev":
        push(fields, "device", quoted(next()));
        break;
      case "metric":
      case "priority":
      case "preference":
        if (!push(fields, "metric", whole(next(), 0, MAX_NUMBER))) return "has no number as its metric";
        break;
      case "table":
        if (!push(fields, "table", tableOf(next()))) return "names a table that is no number";
        break;
      case "scope":
      case "proto":
      case "protocol":
        next();
        break;
      default: {
        const given = word === "to" ? next() : word;
        const to = blockOf(given, six);
        if (to === null) {
          return `only destination, next hop, device, source, metric and table are known: ${given}`;
        }
        fields.unshift(["to", to]);
      }
    }
  }
  if (fields[0]?.[0] !== "to") return "has no destination";
  if (type !== "unicast") fields.push(["type", type]);
  return fields;
}

/** Or why not. */
function ruleOf(words: string[], six: boolean): Fields | string {
  const fields: Fields = [];
  while (words.length > 0) {
    const word = words.shift()!;
    if (word === "no_track" || word === "inet6") continue;
    const value = words.shift() ?? "";
    const [key, text] = word === "from" || word === "to"
      ? [word, value === "all" ? "all" : blockOf(value, six)]
      : ["table", "lookup"].includes(word)
      ? ["table", tableOf(value)]
      : ["priority", "preference", "pref", "order"].includes(word)
      ? ["priority", whole(value, 1, 32_765)]
      : ["", null];
    if (text === null) {
      return `only from, to, table and priority are known, of one family: ${word} ${value}`.trim();
    }
    if (text !== "all") fields.push([key, text]);
  }
  return fields.some(([key]) => key === "table") ? fields : "has no table";
}

function push(fields: Fields, key: string, value: string | null): boolean {
  if (value !== null) fields.push([key, value]);
  return value !== null;
}

function addressOf(text: string, six: boolean): string | null {
  return parseIp(text) === null || text.includes(":") !== six ? null : JSON.stringify(text);
}

function blockOf(text: string, six: boolean): string | null {
  if (text === "default") return text;
  return parseCidr(text) === null || text.includes(":") !== six ? null : JSON.stringify(text);
}

function tableOf(text: string): string | null {
  return TABLES[text] ?? whole(text, 1, MAX_NUMBER);
}
