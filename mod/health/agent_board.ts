/**
 * The agents of servers: when each is asked, beside its check, and what it has said so far.
 *
 * An agent that cannot be reached changes nothing, as in HAProxy: whether the server lives is the check's to say. It
 * must not know what follows from a wish. Pure.
 */
import type { AgentSnapshot, PoolSnapshot, ServerSnapshot } from "../config/snapshot.ts";
import { type AgentWish, heed, NO_WISH } from "./agent_wish.ts";
import type { DueProbe } from "./board.ts";
import type { ProbeResult } from "./rise_fall.ts";
import { ProbeSchedule } from "./schedule.ts";

interface Row {
  readonly identity: string;
  readonly pool: string;
  agent: AgentSnapshot;
  server: ServerSnapshot;
  probe: DueProbe | null;
  wish: AgentWish;
  /** Why it is not heard; empty: it is. */
  trouble: string;
}

export class AgentBoard {
  readonly #schedule: ProbeSchedule;
  #rows = new Map<number, Row>();

  /** `random` as of the schedule. */
  constructor(random: () => number) {
    this.#schedule = new ProbeSchedule(random);
  }

  /** Takes the pools of a new snapshot; an agent that stays keeps its wish. */
  update(pools: readonly PoolSnapshot[], now: number): void {
    const before = this.#rows;
    this.#rows = new Map();
    const fresh: { slot: number; intervalMs: number }[] = [];
    for (const { name, agent, servers } of pools) {
      if (agent === undefined) continue;
      for (const server of servers) {
        const { slot } = server;
        const identity = JSON.stringify([name, server.name, server.host, server.port]);
        const known = before.get(slot);
        const stays = known?.identity === identity;
        const row = stays
          ? known
          : { identity, pool: name, agent, server, probe: null, wish: NO_WISH, trouble: "" };
        this.#rows.set(slot, row);
        row.server = server;
        if (stays && sameQuestion(row.agent, agent)) {
          this.#schedule.configure(slot, agent.intervalMs, now);
        } else {
          row.probe = null;
          fresh.push({ slot, intervalMs: agent.intervalMs });
        }
        row.agent = agent;
      }
    }
    for (const slot of before.keys()) if (!this.#rows.has(slot)) this.#schedule.remove(slot);
    this.#schedule.add(fresh, now);
  }

  deadline(): number {
    return this.#schedule.deadline();
  }

  /** Agents to ask now; each counts as under way until `finished`. */
  due(now: number): DueProbe[] {
    return this.#schedule.due(now).flatMap((slot) => {
      const row = this.#rows.get(slot);
      if (row === undefined) return [];
      const { pool, agent, server } = row;
      row.probe = {
        ...{ pool, server: server.name, slots: [slot] },
        ...{ host: agent.host === "" ? server.host : agent.host, port: agent.port, check: agent },
      };
      return [row.probe];
    });
  }

  wanted(probe: DueProbe): boolean {
    return this.#rows.get(probe.slots[0]!)?.probe === probe;
  }

  /** Takes what an agent said. */
  finished(probe: DueProbe, { ok, reason }: ProbeResult, now: number): void {
    const row = this.#rows.get(probe.slots[0]!);
    if (row?.probe !== probe) return;
    row.probe = null;
    row.trouble = ok ? "" : reason;
    if (ok) row.wish = heed(reason, row.wish);
    this.#schedule.finished(probe.slots[0]!, row.agent.intervalMs, now);
  }

  /** What the agent of a server wants. */
  wish(slot: number): AgentWish {
    return this.#rows.get(slot)?.wish ?? NO_WISH;
  }

  /** Why the agent of a server is not heard; empty: it is, or there is none. */
  trouble(slot: number): string {
    return this.#rows.get(slot)?.trouble ?? "";
  }

  /** Goes on from what another process has heard. */
  recall(slot: number, wish: AgentWish): void {
    const row = this.#rows.get(slot);
    if (row !== undefined) row.wish = wish;
  }
}

function sameQuestion(a: AgentSnapshot, b: AgentSnapshot): boolean {
  const question = ({ intervalMs: _, ...rest }: AgentSnapshot) => JSON.stringify(rest);
  return question(a) === question(b);
}
