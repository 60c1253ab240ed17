/** @jsxImportSource hono/jsx */
/**
 * What the dashboard shows of a node: who holds which address and why, traffic, pools and their servers. Pure.
 *
 * Every text of the node is escaped; what a button does stands in its data, for the page's script.
 */
import type { InstanceStatus } from "../../mod/observe/election_status.ts";
import type { KeeperStatus } from "../../mod/observe/keeper_status.ts";
import { reasonOf } from "../../mod/observe/election_status.ts";
import {
  type NodeStatus,
  type PoolStatus,
  type ServerStatus,
  takesTraffic,
} from "../../mod/observe/status.ts";
import { Chart, short } from "./chart.tsx";
import type { History } from "./history.ts";

export interface ViewProps {
  /** Null: the balancer is down or starting. */
  readonly node: NodeStatus | null;
  /** Null: the keeper does not answer. */
  readonly keeper: KeeperStatus | null;
  readonly history: History;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export function View({ node, keeper, history, now }: ViewProps) {
  return (
    <>
      <Summary node={node} keeper={keeper} now={now} />
      {keeper !== null && keeper.vrrp.instances.length > 0 && (
        <Election keeper={keeper} history={history} now={now} />
      )}
      {node !== null && <Traffic node={node} history={history} />}
      {node?.pools.map((pool) => <Pool pool={pool} history={history} now={now} />)}
    </>
  );
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

function Election({ keeper, history, now }: { keeper: KeeperStatus } & Pick<ViewProps, "history" | "now">) {
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
      <div class="wide">
        <table>
          <caption class="hidden">Who holds which addresses, and why</caption>
          <thead>
            <tr>
              {["Instance", "Addresses", "This node", "Held by", "Priority", "Health", "Why", "Others", ""]
                .map((word) => <th scope="col">{word}</th>)}
            </tr>
          </thead>
          <tbody>{vrrp.instances.map((one) => <Instance one={one} />)}</tbody>
        </table>
      </div>
      <details>
        <summary>Transitions seen here</summary>
        <ol>
          {history.transitions.map(({ at, instance, state, why }) => (
            <li>
              <time datetime={new Date(at).toISOString()}>{span(now - at)} ago</time> {instance} became{" "}
              {state}: {why}
            </li>
          ))}
        </ol>
      </details>
    </section>
  );
}

function Instance({ one }: { one: InstanceStatus }) {
  const { name, addresses, state, owner, priority, health, peers } = one;
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
            {peer.node}: {peer.state ?? "no report"}, heard {short(peer.silentMs / 1000)} s ago
            {!peer.sameConfiguration && <span class="warn">, another configuration</span>}
          </div>
        ))}
      </td>
      <td>
        {state === "active" && (
          <Button
            id={`move-${name}`}
            method="POST"
            path={`api/instances/${encodeURIComponent(name)}/move`}
            confirm={`Hand ${name} over to the other node?`}
            label="Hand over"
          />
        )}
      </td>
    </tr>
  );
}

function Traffic({ node, history }: { node: NodeStatus; history: History }) {
  const { points } = history;
  return (
    <section aria-labelledby="traffic">
      <h2 id="traffic">Traffic</h2>
      <div class="charts">
        <Chart
          title="Requests"
          unit="a second"
          lines={{ all: points.map(({ requests }) => requests), "5xx": points.map(({ errors }) => errors) }}
        />
        <Chart
          title="Time"
          unit="milliseconds"
          lines={{ p50: points.map(({ p50 }) => p50), p99: points.map(({ p99 }) => p99) }}
        />
      </div>
      <div class="wide">
        <table>
          <caption class="hidden">Listeners</caption>
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
      </div>
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
      <div class="wide">
        <table>
          <caption class="hidden">Servers of {pool.name}</caption>
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
      </div>
    </section>
  );
}

function Server(
  { pool, server, history, now }: { pool: string; server: ServerStatus } & Pick<ViewProps, "history" | "now">,
) {
  const { name, address, state, admin, since, weight, active, reason, counters } = server;
  const errors = counters.connectErrors + counters.connectTimeouts + counters.resets + counters.responses5xx;
  return (
    <tr>
      <th scope="row">{name}{name !== address && <small>{address}</small>}</th>
      <td>
        <State good={takesTraffic(server)} word={admin === "ready" ? state : admin} /> {span(now - since)}
      </td>
      <td>{short(weight)}{server.backup && " (backup)"}</td>
      <td>{active}</td>
      <td>{rate(history, `${pool}/${name}`)}</td>
      <td>{errors}</td>
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

interface ButtonProps {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly label: string;
  /** What it is done to, for those who hear the page. */
  readonly about?: string;
  readonly confirm?: string;
  readonly pressed?: boolean;
}

function Button({ id, method, path, body, label, about = "", confirm = "", pressed }: ButtonProps) {
  return (
    <button
      type="button"
      id={id}
      data-method={method}
      data-path={path}
      data-body={body === undefined ? "" : JSON.stringify(body)}
      data-confirm={confirm}
      aria-pressed={pressed === undefined ? undefined : String(pressed)}
      aria-label={about === "" ? undefined : `${label} ${about}`}
    >
      {label}
    </button>
  );
}

/** Told by word and by colour. */
function State({ good, word }: { good: boolean; word: string }) {
  return <span class={good ? "state good" : "state bad"}>{word}</span>;
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
