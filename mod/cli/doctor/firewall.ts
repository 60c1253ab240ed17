/**
 * Whether rules of nftables (also those of an iptables that speaks to it) keep the nodes from hearing each other. Pure.
 *
 * It reads what a rule matches by name, not what it does in every case: a rule that drops what the election speaks by is
 * a problem, a chain that drops by default and lets nothing of it in is one that should be looked at.
 */
import { type Finding, ok, problem, warning } from "./finding.ts";

/** What the nodes speak by. */
export interface Spoken {
  /** VRRP itself, IP protocol 112. */
  readonly vrrp: boolean;
  /** Datagrams of the election, and the line between the nodes. */
  readonly udp: boolean;
  readonly tcp: boolean;
}

interface Rule {
  readonly family: string;
  readonly table: string;
  readonly chain: string;
  readonly expr: readonly unknown[];
}

interface Chain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly hook?: string;
  readonly policy?: string;
}

const PORT = 8112;
const ABOUT = "firewall";
const HOOKS = ["input", "output", "prerouting", "ingress"];

/** `ruleset`: of `nft -j list ruleset`. */
export function firewallFindings(ruleset: unknown, spoken: Spoken): Finding[] {
  const { nftables = [] } = ruleset as { nftables?: readonly { rule?: Rule; chain?: Chain }[] };
  const chains = nftables.flatMap(({ chain }) => chain === undefined ? [] : [chain]);
  const rules = nftables.flatMap(({ rule }) => rule === undefined ? [] : [rule]);
  const kinds = (Object.entries(WORDS) as [keyof Spoken, string][]).filter(([kind]) => spoken[kind]);
  const dropped = kinds.flatMap(([kind, words]) =>
    rules.filter((rule) => isAbout(rule, kind) && says(rule, ["drop", "reject"])).map((
      { family, table, chain },
    ) =>
      problem(
        ABOUT,
        `the chain ${family} ${table} ${chain} drops ${words}`,
        `let it in: nft list chain ${family} ${table} ${chain}`,
      )
    )
  );
  const closed = chains.filter(({ hook, policy }) => HOOKS.includes(hook ?? "") && policy === "drop");
  const shut = closed.flatMap(({ family, table, name, hook }) =>
    kinds.filter(([kind]) =>
      !rules.some((rule) =>
        rule.table === table && rule.family === family && isAbout(rule, kind) && says(rule, ["accept"])
      )
    ).map(([, words]) =>
      warning(
        ABOUT,
        `the chain ${family} ${table} ${name} (${hook}) drops what it does not know, and no rule names ${words}`,
        `let ${words} of the other nodes through`,
      )
    )
  );
  const found = [...dropped, ...shut];
  return found.length > 0
    ? found
    : [ok(ABOUT, `no rule of nftables drops ${kinds.map(([, words]) => words).join(" or ")}`)];
}

const WORDS = {
  vrrp: "VRRP (IP protocol 112)",
  udp: `UDP port ${PORT}`,
  tcp: `TCP port ${PORT}`,
} as const;

/** True when it matches just this, by protocol or port. */
function isAbout({ expr }: Rule, kind: keyof Spoken): boolean {
  return expr.some((one) => {
    const { match } = one as { match?: { left?: unknown; right?: unknown; op?: string } };
    if (match === undefined || match.op === "!=") return false;
    const left = JSON.stringify(match.left), right = JSON.stringify(match.right);
    if (kind === "vrrp") return /"protocol"|"nexthdr"|"l4proto"/.test(left) && /\b112\b|"vrrp"/.test(right);
    return left.includes(`"${kind}"`) && left.includes('"dport"') &&
      ports(match.right).some((of) => of(PORT));
  });
}

function says({ expr }: Rule, verdicts: readonly string[]): boolean {
  return expr.some((one) => verdicts.some((verdict) => verdict in (one as object)));
}

/** What a port is compared with: one, a range, or a set of these. */
function ports(right: unknown): ((port: number) => boolean)[] {
  if (typeof right === "number") return [(port) => port === right];
  const { set, range } = (right ?? {}) as { set?: unknown[]; range?: [number, number] };
  if (Array.isArray(set)) return set.flatMap(ports);
  return range === undefined ? [] : [(port) => port >= range[0] && port <= range[1]];
}
