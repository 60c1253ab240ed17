/** @jsxImportSource hono/jsx */
/**
 * What the dashboard shows of a node beside its charts: who holds which address and why, what has happened, listeners, pools
 * and their servers. Pure.
 *
 * Every text of the node is escaped; what a button does stands in its data, for the page's script.
 */
import type { Child } from "hono/jsx";
import type { InstanceStatus, PeerStatus } from "../../mod/observe/election_status.ts";
import type { KeeperStatus } from "../../mod/observe/keeper_status.ts";
import { reasonOf } from "../../mod/observe/election_status.ts";
import {
  type NodeStatus,
  type PoolStatus,
  type ServerStatus,
  takesTraffic,
} from "../../mod/observe/status.ts";
import { Button } from "./button.tsx";
import { failuresOf, type History } from "./history.ts";

export interface ViewProps {
  /** Null: the balancer is down or starting. */
  readonly node: NodeStatus | null;
  /** Null: the keeper does not answer. */
  readonly keeper: KeeperStatus | null;
  readonly history: History;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** What stands above the charts, and below them. */
export interface Views {
  readonly top: string;
  readonly rest: string;
}

export function views({ node, keeper, history, now }: ViewProps): Views {
  const top = (
    <>
      <Summary node={node} keeper={keeper} now={now} />
      {keeper !== null && keeper.vrrp.instances.length > 0 && <Election keeper={keeper} />}
      <Timeline node={node} keeper={keeper} now={now} />
    </>
  );
  const rest = (
    <>
      {node !== null && <Listeners node={node} history={history} />}
      {node?.pools.map((pool) => <Pool pool={pool} history={history} now={now} />)}
    </>
  );
  return { top: top.toString(), rest: rest.toString() };
}

function Summary({ node, keeper, now }: Pick<ViewProps, "node" | "keeper" | "now">) {
  const state = node?.state ?? keeper?.balancer.state ?? "unknown";
  const refused = keeper?.refused ?? null;
  return (
    <section aria-labelledby="node">
      <h2 id="node">
        {node?.node ?? keeper?.node ?? "This node"} <State good={state === "serving"} word={state} />
      </h2>
      <p>
        tandem {node?.version ?? keeper?.version}, configuration {keeper?.generation ?? "–"}
        {node !== null && `, up ${span(now - node.startedAt)}, ${node.workers.length} workers`}
      </p>
      {node === null && (
        <p class="bad">The balancer does not answer: {keeper?.balancer.lastDeath ?? "it is starting"}</p>
      )}
      {keeper !== null && keeper.balancer.lastDeath !== null && node !== null && (
        <p class="warn">
          The balancer was restarted {keeper.balancer.restarts} times; the last one ended:{" "}
          {keeper.balancer.lastDeath}
        </p>
      )}
      {keeper === null && <p class="bad">The keeper does not answer: nothing is known of the election.</p>}
      {refused !== null && (
        <div class="bad">
          <p>The last reload was refused {span(now - refused.at)} ago; the node runs on as before:</p>
          <pre>{refused.problems.join("\n")}</pre>
        </div>
      )}
      {keeper !== null && keeper.drift.length > 0 && (
        <p class="warn">
          Changed live, not in the file:{" "}
          {keeper.drift.map((each) => Object.values(each).map(String).join(" ")).join(", ")}
        </p>
      )}
    </section>
  );
}

function Election({ keeper }: { keeper: KeeperStatus }) {
  const { vrrp } = keeper;
  return (
    <section aria-labelledby="addresses">
      <h2 id="addresses">Addresses</h2>
      <p>
        <Button
          id="maintenance"
          method="PUT"
          path="api/maintenance"
          body={{ on: !vrrp.maintenance }}
          confirm={vrrp.maintenance ? "" : "Keep this node out of every election?"}
          label={vrrp.maintenance ? "End maintenance" : "Begin maintenance"}
        />
        {vrrp.maintenance && <span class="warn">in maintenance: this node takes no address</span>}
      </p>
      <Wide id="instances" label="Who holds which addresses, and why">
        <table>
          <thead>
            <tr>
              {["Instance", "Addresses", "This node", "Held by", "Priority", "Health", "Why", "Others", ""]
                .map((word) => <th scope="col">{word}</th>)}
            </tr>
          </thead>
          <tbody>{vrrp.instances.map((one) => <Instance one={one} />)}</tbody>
        </table>
      </Wide>
    </section>
  );
}

/** What the keeper has kept of instances and heard of strangers, and the balancer of servers. */
function Timeline({ node, keeper, now }: Pick<ViewProps, "node" | "keeper" | "now">) {
  const instances = (keeper?.vrrp.timeline ?? []).map((one) => ({
    ...one,
    of: `${one.instance} on ${one.node}`,
  }));
  const servers = (node?.timeline ?? []).map((one) => ({ ...one, of: `${one.pool}/${one.server}` }));
  const strangers = (keeper?.vrrp.instances ?? []).flatMap(({ name, foreign }) =>
    foreign.map(({ address, silentMs, why }) => ({
      ...{ at: now - silentMs, of: `${name} at ${address}`, from: null, to: ALSO_ACTIVE, why },
    }))
  );
  const all = [...instances, ...strangers, ...servers].sort((a, b) => b.at - a.at);
  return (
    <section aria-labelledby="timeline">
      <h2 id="timeline">Timeline</h2>
      {all.length === 0 && <p>Nothing has changed its state yet.</p>}
      <ol class="timeline scrolls" id="timeline-list" aria-labelledby="timeline" tabindex={0}>
        {all.map(({ at, of, from, to, why }) => (
          <li>
            <time datetime={new Date(at).toISOString()}>{span(now - at)} ago</time> {of}{" "}
            {from === null ? "was heard of as" : `went from ${from} to`}{" "}
            <State good={!BAD.includes(to)} word={to} />
            {why !== "" && `: ${why}`}
          </li>
        ))}
      </ol>
    </section>
  );
}

/** A stranger is so, with an id of ours. */
const ALSO_ACTIVE = "also active";
/** States of instances and servers. */
const BAD: readonly string[] = ["fault", "down", "ejected", ALSO_ACTIVE];

/** True when it takes the addresses, if they are given up. */
function isReady(peer: PeerStatus): boolean {
  return !peer.silent && peer.state === "backup" && !peer.maintenance;
}

function Instance({ one }: { one: InstanceStatus }) {
  const { name, addresses, state, owner, priority, health, peers, foreign } = one;
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>{addresses.join(", ")}</td>
      <td>
        <State good={state === "active" || state === "backup"} word={state} />
      </td>
      <td>{owner ?? "nobody known"}</td>
      <td>{priority}</td>
      <td>{health}</td>
      <td>{reasonOf(one)}</td>
      <td>
        {peers.length === 0 && <span class="warn">no other node is heard</span>}
        {peers.map((peer) => (
          <div>
            {peer.node}: {peer.silent
              ? <span class="bad">{peer.state ?? "unknown"}?, not heard for {span(peer.silentMs)}</span>
              : `${peer.state ?? "no report"}, heard ${short(peer.silentMs / 1000)} s ago`}
            {peer.why !== "" && `: ${peer.why}`}
            {!peer.sameConfiguration && <span class="warn">, another configuration</span>}
          </div>
        ))}
        {foreign.map(({ address, mac, why }) => (
          <div class="bad">also active: {address} (MAC {mac ?? "unknown"}): {why}</div>
        ))}
      </td>
      <td class="buttons">
        {state === "active" && peers.some(isReady) && (
          <Button
            id={`move-${name}`}
            method="POST"
            path={`api/instances/${encodeURIComponent(name)}/move`}
            confirm={`Hand ${name} over to the other node?`}
            done="Asked for: the table tells when it has moved"
            label="Hand over"
          />
        )}
      </td>
    </tr>
  );
}

function Listeners({ node, history }: { node: NodeStatus; history: History }) {
  return (
    <section aria-labelledby="listeners">
      <h2 id="listeners">Listeners</h2>
      <Wide id="traffic-of-listeners" label="Listeners and their traffic">
        <table>
          <thead>
            <tr>
              {["Listener", "Addresses", "Open", "Requests a second", "Requests", "5xx"].map((word) => (
                <th scope="col">{word}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {node.listeners.map(({ name, protocol, binds, counters }) => (
              <tr>
                <th scope="row">{name} ({protocol})</th>
                <td>{binds.join(", ")}</td>
                <td>{counters.active}</td>
                <td>{rate(history, name)}</td>
                <td>{counters.requests}</td>
                <td>{counters.responses5xx}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Wide>
    </section>
  );
}

function Pool({ pool, history, now }: { pool: PoolStatus } & Pick<ViewProps, "history" | "now">) {
  const id = `pool-${pool.name}`;
  const open = pool.servers.filter(takesTraffic).length;
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>
        {pool.name} <State good={open > 0} word={`${open} of ${pool.servers.length} take traffic`} />
      </h2>
      <p>{pool.balance}{pool.queued > 0 && `, ${pool.queued} waiting`}</p>
      <Wide id={`servers-${pool.name}`} label={`Servers of ${pool.name}`}>
        <table>
          <thead>
            <tr>
              {["Server", "State", "Weight", "Open", "Requests a second", "Errors", "Why", "Set to"].map((
                word,
              ) => <th scope="col">{word}</th>)}
            </tr>
          </thead>
          <tbody>
            {pool.servers.map((server) => (
              <Server pool={pool.name} server={server} history={history} now={now} />
            ))}
          </tbody>
        </table>
      </Wide>
    </section>
  );
}

function Server(
  { pool, server, history, now }: { pool: string; server: ServerStatus } & Pick<ViewProps, "history" | "now">,
) {
  const { name, address, state, admin, since, weight, active, reason, counters } = server;
  return (
    <tr>
      <th scope="row">{name}{name !== address && <small>{address}</small>}</th>
      <td>
        <State
          good={isUntold(server) ? null : takesTraffic(server)}
          word={admin === "ready" ? state : admin}
        />{" "}
        {span(now - since)}
      </td>
      <td>{short(weight)}{server.backup && " (backup)"}</td>
      <td>{active}</td>
      <td>{rate(history, `${pool}/${name}`)}</td>
      <td>
        {failed(history, `${pool}/${name}`)} <small>{failuresOf(counters)} in all</small>
      </td>
      <td>{reason}</td>
      <td class="buttons">
        {(["ready", "drain", "maint"] as const).map((wanted) => (
          <Button
            id={`${wanted}-${pool}-${name}`}
            method="PATCH"
            path={`api/pools/${encodeURIComponent(pool)}/servers/${encodeURIComponent(name)}`}
            body={{ state: wanted }}
            label={wanted}
            about={`${name} of ${pool}`}
            pressed={admin === wanted}
          />
        ))}
      </td>
    </tr>
  );
}

/** It gets traffic, and nobody has looked whether it is well. */
function isUntold({ state, admin }: ServerStatus): boolean {
  return state === "unchecked" && admin === "ready";
}

/** What a narrow page scrolls sideways, by keyboard too; the page's script keeps where it was scrolled to. */
function Wide({ id, label, children }: { id: string; label: string; children: Child }) {
  return (
    <div class="wide scrolls" id={id} tabindex={0} role="group" aria-label={label}>
      {children}
    </div>
  );
}

/** Told by word and by colour; null: neither good nor bad. */
function State({ good, word }: { good: boolean | null; word: string }) {
  return <span class={good === null ? "state" : good ? "state good" : "state bad"}>{word}</span>;
}

/** The share of late. */
function failed(history: History, name: string): string {
  const share = history.failed(name);
  return share === null ? "–" : `${short(share * 100)} %`;
}

function rate(history: History, name: string): string {
  const value = history.rate(name);
  return value === null ? "–" : short(value);
}

/** A time as it is read at a glance: `3m`. */
function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}

/** A number as it is read at a glance. */
function short(value: number): string {
  if (value >= 10_000) return `${(value / 1000).toFixed(0)}k`;
  return value >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toFixed(1);
}
