/**
 * Asks, before anybody listens, whether the addresses are free.
 *
 * They are shared among workers, and with the balancer that takes over (SO_REUSEPORT), and would be shared in silence with
 * any other process of the same user that does so too. So each new address is bound once without sharing and let go.
 */
import { reasonOf } from "../base/reason.ts";

export interface Bind {
  /** What wants it, for messages: "the listener `web`". */
  readonly purpose: string;
  readonly host: string;
  readonly port: number;
  /** Of UDP; absent: of TCP. */
  readonly datagrams?: boolean;
}

/** A predecessor that was killed lets its ports go within this time. */
const PATIENCE_MS = 2000;
const RETRY_MS = 50;

/** What is wrong with the addresses, each named with what wants it. Port 0 is always free. */
export async function checkBinds(binds: readonly Bind[], patienceMs = PATIENCE_MS): Promise<string[]> {
  const found = await Promise.all(binds.map((bind) => bind.port === 0 ? null : check(bind, patienceMs)));
  return found.filter((problem) => problem !== null);
}

/** The binds of a snapshot whose port nobody of us listens on yet; the others are ours, and taken by ourselves. */
export function newBinds(next: readonly Bind[], current: readonly Bind[]): Bind[] {
  const key = ({ port, datagrams = false }: Bind) => `${port} ${datagrams}`;
  const ours = new Set(current.map(key));
  return next.filter((bind) => !ours.has(key(bind)));
}

async function check(
  { purpose, host, port, datagrams = false }: Bind,
  patienceMs: number,
): Promise<string | null> {
  for (let waitedMs = 0;; waitedMs += RETRY_MS) {
    try {
      if (datagrams) Deno.listenDatagram({ transport: "udp", hostname: host, port }).close();
      else Deno.listen({ hostname: host, port }).close();
      return null;
    } catch (error) {
      // A socket of UDP may be bound before its address comes.
      if (datagrams && error instanceof Deno.errors.AddrNotAvailable) return null;
      if (!(error instanceof Deno.errors.AddrInUse) || waitedMs >= patienceMs) {
        const address = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
        return `Cannot listen on ${address} for ${purpose}: ${explainBind(error, port)}`;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

/** Why an address cannot be listened on, in words. */
export function explainBind(error: unknown, port: number): string {
  if (error instanceof Deno.errors.AddrInUse) return "another process listens there";
  if (error instanceof Deno.errors.AddrNotAvailable) return "no interface has this address";
  if (error instanceof Deno.errors.PermissionDenied) {
    return port < 1024 ? "ports below 1024 need root or CAP_NET_BIND_SERVICE" : "permission denied";
  }
  return reasonOf(error);
}
