/**
 * keepalived's `virtual_server` with its real servers and their checkers, as a listener and its pool. Pure.
 *
 * `lb_kind NAT` stays LVS's job, done by the kernel, where it knows the algorithm. All others become proxied TCP: Tandem
 * accepts and connects itself, so that servers see its address. A pool has one check, that of the first server.
 */
import { parseIp } from "../base/address.ts";
import { Draft, duration, list, map, nameOf, quoted, whole } from "./draft.ts";
import type { Statement } from "./keepalived_text.ts";
import { commandOf } from "./tracks.ts";

export interface Imported {
  readonly name: string;
  readonly listener: Draft;
  readonly pool: Draft;
}

/** Largest range of addresses that is written out. */
const MAX_RANGE = 256;

const ALGORITHMS: Readonly<Record<string, readonly [balance: string, note: string]>> = {
  rr: ["roundRobin", ""],
  wrr: ["roundRobin", ""],
  lc: ["leastConnections", ""],
  wlc: ["leastConnections", ""],
  sed: ["leastConnections", "the nearest there is"],
  nq: ["leastConnections", "the nearest there is"],
  sh: ["hash", ""],
  mh: ["maglev", ""],
  fo: ["first", ""],
  ovf: ["first", "with maxConnections on the servers"],
};

/** The algorithms that the kernel has too. */
const IN_KERNEL: Readonly<Record<string, string>> = {
  rr: "roundRobin",
  wrr: "roundRobin",
  sh: "maglev",
  mh: "maglev",
};

const OPTIONS: Readonly<Record<string, string>> = {
  persistence_timeout: "nothing is remembered of a client: `balance: hash` sends it to the same server",
  persistence_granularity: "nothing is remembered of a client",
  quorum: "an instance can track the pool: `track: [{ pool: NAME, minHealthy: N }]`",
  hysteresis: "an instance can track the pool",
  quorum_up: "an instance that tracks the pool has onTransition",
  quorum_down: "an instance that tracks the pool has onTransition",
  alpha: "servers count as healthy until a check fails",
  omega: "has no equivalent",
  ha_suspend: "checks go on in every state",
  ops: "is for UDP",
  smtp_alert: "no mail is sent",
  retry: "stands in the check of a pool",
};

/** Null: it is nothing that this version of Tandem balances; the reason is in the notes of `rest`. */
export function importVirtualServer(
  statement: Statement,
  groups: ReadonlyMap<string, Statement>,
  rest: Draft,
): Imported | null {
  const block = statement.block ?? [];
  const [, one, other] = statement.words;
  const listener = new Draft();
  const pool = new Draft();
  const group = one === "group" ? groups.get(other ?? "") : undefined;
  const binds = group === undefined ? bindsOf([one ?? "", other ?? ""]) : groupBinds(group, listener);
  const protocol = (lastOf(block, "protocol")?.words[1] ?? "TCP").toLowerCase();
  const kernel = kernelOf(block, binds);
  const servers = serversIn(block, pool);
  const why = protocol === "sctp"
    ? "this version balances only TCP, UDP and HTTP"
    : protocol === "udp" && kernel === null
    ? "UDP needs lb_kind NAT, and rr, wrr, sh or mh"
    : one === "fwmark"
    ? "firewall marks are LVS's: no listener"
    : binds.length === 0
    ? "has no address: no listener"
    : servers.length === 0
    ? "has no server: no listener"
    : null;
  if (why !== null) {
    rest.refuse(statement, why);
    return null;
  }
  const plain = group === undefined ? `${one}-${other}` : `group-${other}`;
  const name = nameOf(protocol === "udp" ? `${plain}-udp` : plain);
  listener.set("name", quoted(name));
  listener.set("bind", list(binds.map((bind) => JSON.stringify(bind))));
  listener.set("protocol", protocol === "udp" ? "udp" : "tcp");
  listener.set("pool", quoted(name));
  if (kernel === null) balance(algorithmOf(block), pool);
  else {
    listener.set("forward", "nat");
    listener.set("kernel", kernel.settings);
    pool.set("balance", kernel.balance);
  }
  pool.set("servers", list(servers));
  checkOf(block, pool);
  refuseOthers(block, kernel, pool);
  return { name, listener, pool };
}

interface InKernel {
  /** As YAML. */
  readonly settings: string;
  readonly balance: string;
}

/** What the kernel goes on to do; null: Tandem does it. */
function kernelOf(block: readonly Statement[], binds: readonly string[]): InKernel | null {
  const balance = IN_KERNEL[algorithmOf(block)?.words[1] ?? ""];
  if (kindOf(block)?.words[1] !== "NAT" || balance === undefined) return null;
  const servers = block.filter(({ words }) => /^(real|sorry)_server$/.test(words[0]!));
  const six = [
    ...binds.map((bind) => bind.startsWith("[")),
    ...servers.map(({ words }) => words[1]?.includes(":")),
  ];
  // From one family to the other is something that the kernel does not translate.
  if (new Set(six).size !== 1) return null;
  const persist = persistOf(block);
  const settings: [string, string][] = [["masquerade", "false"]];
  return { balance, settings: map(persist === null ? settings : [...settings, ["persist", persist]]) };
}

/** Null: none that the kernel can keep to. */
function persistOf(block: readonly Statement[]): string | null {
  const seconds = lastOf(block, "persistence_timeout")?.words[1];
  return Number(seconds) >= 1 ? duration(seconds) : null;
}

function refuseOthers(block: readonly Statement[], kernel: InKernel | null, pool: Draft): void {
  for (const one of block) {
    const keyword = one.words[0]!;
    if (KNOWN.has(keyword)) continue;
    if (keyword === "lb_kind" || keyword === "lvs_method") {
      if (kernel !== null) continue;
      const direct = one.words[1] === "DR" ? "; LVS's way is forward: dsr" : "";
      pool.refuse(one, `Tandem accepts and connects itself: servers see its address${direct}`);
    } else if (keyword !== "persistence_timeout" || kernel === null || persistOf(block) === null) {
      pool.refuse(one, OPTIONS[keyword] ?? "has no equivalent");
    }
  }
}

const lastOf = (block: readonly Statement[], keyword: string) =>
  block.findLast(({ words }) => words[0] === keyword);
const algorithmOf = (block: readonly Statement[]) => lastOf(block, "lb_algo") ?? lastOf(block, "lvs_sched");
const kindOf = (block: readonly Statement[]) => lastOf(block, "lb_kind") ?? lastOf(block, "lvs_method");

const KNOWN = new Set([
  "protocol",
  "lb_algo",
  "lvs_sched",
  "real_server",
  "sorry_server",
  "delay_loop",
  "virtualhost",
]);

function hostPort(address: string, port: string | undefined): string | null {
  if (parseIp(address) === null || whole(port, 1, 65535) === null) return null;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** `ADDRESS PORT`, where the last part of the address may be a range. */
function bindsOf(words: readonly string[]): string[] {
  const [address = "", port] = words;
  const range = /^(.*[.:])([0-9a-f]+)-([0-9a-f]+)$/i.exec(address);
  if (range === null) {
    const bind = hostPort(address, port);
    return bind === null ? [] : [bind];
  }
  const base = address.includes(":") ? 16 : 10;
  const [from, to] = [parseInt(range[2]!, base), parseInt(range[3]!, base)];
  if (!(from <= to && to - from < MAX_RANGE)) return [];
  return Array.from(
    { length: to - from + 1 },
    (_, at) => hostPort(range[1]! + (from + at).toString(base), port),
  )
    .filter((bind) => bind !== null);
}

function groupBinds(group: Statement, draft: Draft): string[] {
  return [
    ...new Set((group.block ?? []).flatMap((one) => {
      const binds = bindsOf(one.words);
      if (binds.length === 0) draft.refuse(one, "is no address and port");
      return binds;
    })),
  ];
}

function serversIn(block: readonly Statement[], draft: Draft): string[] {
  const seen = new Set<string>();
  return block.flatMap((one) => {
    const [keyword, address = "", port] = one.words;
    if (keyword !== "real_server" && keyword !== "sorry_server") return [];
    const at = hostPort(address, port);
    if (at === null || seen.has(at)) {
      draft.refuse(one, at === null ? "has no address and port" : "stands here twice");
      return [];
    }
    seen.add(at);
    const fields: [string, string][] = [["address", JSON.stringify(at)]];
    if (keyword === "sorry_server") return [map([...fields, ["backup", "true"]])];
    for (const inner of one.block ?? []) {
      const weight = inner.words[0] === "weight" ? whole(inner.words[1], 0, 256) : null;
      const most = inner.words[0] === "uthreshold" ? whole(inner.words[1], 0, 1_000_000) : null;
      if (weight !== null && weight !== "1") fields.push(["weight", weight]);
      else if (most !== null) fields.push(["maxConnections", most]);
      else if (weight === null && !/^[A-Z_]+$/.test(inner.words[0]!)) {
        const inhibits = inner.words[0] === "inhibit_on_failure";
        draft.refuse(inner, inhibits ? "open connections end by themselves" : "has no equivalent");
      }
    }
    return [fields.length === 1 ? JSON.stringify(at) : map(fields)];
  });
}

function balance(statement: Statement | undefined, pool: Draft): void {
  const found = ALGORITHMS[statement?.words[1] ?? "wlc"];
  if (found === undefined) pool.refuse(statement!, "has no equivalent: round robin");
  else {
    pool.set("balance", found[0]);
    if (found[1] !== "") pool.refuse(statement!, `became ${found[0]}, ${found[1]}`);
  }
}

/** The checkers in a real server's block, in capitals. */
function checkersIn({ block }: Statement): Statement[] {
  return (block ?? []).filter(({ words }) => /^[A-Z_]+$/.test(words[0]!));
}

function checkOf(block: readonly Statement[], pool: Draft): void {
  const servers = block.filter(({ words }) => words[0] === "real_server");
  const [first, ...others] = servers.flatMap(checkersIn);
  if (first === undefined) return;
  const shape = (checker: Statement): string =>
    checker.words.join(" ") + (checker.block?.map(shape).join(";") ?? "");
  for (const other of others) {
    if (shape(other) !== shape(first)) {
      pool.refuse(other, "differs from the pool's check, that of its first server");
    }
  }
  const check = new Check(first, block, pool);
  const fields = check.fields();
  if (fields !== null) pool.set("check", map(fields));
}

/** Where each kind of checker ends up; the others cannot be. */
const TYPES: Readonly<Record<string, string>> = {
  HTTP_GET: "http",
  SSL_GET: "http",
  TCP_CHECK: "tcp",
  SMTP_CHECK: "smtp",
  DNS_CHECK: "dns",
  MISC_CHECK: "exec",
};

class Check {
  readonly #used = new Set<Statement>();

  constructor(readonly checker: Statement, readonly server: readonly Statement[], readonly pool: Draft) {}

  fields(): [string, string][] | null {
    const { checker, pool } = this;
    const type = TYPES[checker.words[0]!];
    if (type === undefined) {
      pool.refuse(checker, "has no equivalent: the servers count as healthy until traffic fails");
      return null;
    }
    const fields: [string, string][] = [["type", type]];
    const add = (name: string, value: string | null | undefined) => {
      if (value !== null && value !== undefined) fields.push([name, value]);
    };
    if (type === "http") this.#request(add);
    // keepalived does not look at certificates.
    if (checker.words[0] === "SSL_GET") add("tls", map([["verify", "false"]]));
    const hello = this.#take("helo_name")?.[1];
    add("hello", hello === undefined ? null : quoted(hello));
    if (type === "dns") {
      add("name", quoted(this.#take("name")?.[1] ?? "."));
      add("record", (this.#take("type")?.[1] ?? "SOA").toUpperCase());
    }
    if (type === "exec") {
      add("command", list(commandOf(this.#take("misc_path") ?? ["", "/bin/false"]).map(quoted)));
    }
    add("port", whole(this.#take("connect_port")?.[1], 1, 65535));
    add("interval", duration((this.#take("delay_loop") ?? this.#of(this.server, "delay_loop"))?.[1]));
    add("timeout", duration((this.#take("connect_timeout") ?? this.#take("misc_timeout"))?.[1]));
    const retry = this.#take("retry") ?? this.#take("nb_get_retry");
    const fall = Number(whole(retry?.[1], 0, 99) ?? "0") + 1;
    fields.push(["fall", String(fall)], ["rise", "1"]);
    const delay = duration(this.#take("delay_before_retry")?.[1]);
    if (fall > 1 && delay !== "0s") add("fastInterval", delay);
    for (const one of checker.block ?? []) if (!this.#used.has(one)) pool.refuse(one, "has no equivalent");
    return fields;
  }

  /** What the first `url` asks for. */
  #request(add: (name: string, value: string | null | undefined) => void): void {
    const url = this.checker.block?.find(({ words }) => words[0] === "url");
    const inner = (keyword: string) => this.#of(url?.block ?? [], keyword);
    if (url !== undefined) this.#used.add(url);
    const path = inner("path")?.[1];
    add("path", path?.startsWith("/") === true ? quoted(path) : null);
    const host = inner("virtualhost")?.[1] ?? this.#take("virtualhost")?.[1] ??
      this.#of(this.server, "virtualhost")?.[1];
    add("host", host === undefined ? null : quoted(host));
    const codes = inner("status_code")?.slice(1).filter((code) => /^[1-5]\d\d(-[1-5]\d\d)?$/.test(code)) ??
      ["200"];
    add("expect", map([["status", list(codes.map((code) => JSON.stringify(code)))]]));
    for (const one of url?.block ?? []) {
      if (!["path", "status_code", "virtualhost"].includes(one.words[0]!)) {
        this.pool.refuse(one, "the content of an answer is not looked at");
      }
    }
  }

  #of(statements: readonly Statement[], keyword: string): readonly string[] | undefined {
    return statements.findLast(({ words }) => words[0] === keyword)?.words;
  }

  #take(keyword: string): readonly string[] | undefined {
    const found = this.checker.block?.findLast(({ words }) => words[0] === keyword);
    if (found !== undefined) this.#used.add(found);
    return found?.words;
  }
}
