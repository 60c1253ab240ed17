/**
 * Rules about certificates by ACME: is there an authority, can it see the proof, can it issue for such names. Pure.
 */
import { acmeNameProblem, acmeNames } from "./acme_names.ts";
import type { ListenerConfig } from "./listener_schema.ts";
import type { NamedFiles } from "./named_files.ts";
import type { Path } from "./problem.ts";
import type { RuleContext } from "./rules.ts";

/** One after the other: with more the first round takes hours, and Let's Encrypt has limits on new ones. */
const MAX_NAMES = 100;
/** Where authorities look (RFC 8555 section 8.3, RFC 8737 section 3). */
const PORTS = { http: 80, tlsAlpn: 443 } as const;

export function checkAcme(context: RuleContext, files: NamedFiles): void {
  const { acme, listeners } = context.config;
  const wanting = [...listeners.entries()].filter(([, { tls }]) => wants(tls?.acme));
  for (const [at, listener] of wanting) checkNames(context, ["listeners", at, "tls", "acme"], listener);
  const [first] = wanting;
  if (acme === undefined) {
    if (first === undefined || context.given(["acme"])) return;
    const missing = "needs the setting acme of the whole file, which says who issues certificates";
    return context.error(["listeners", first[0], "tls", "acme"], missing, "key");
  }
  if (!context.whole(["acme"])) return;
  if (!acme.agreeTerms) {
    context.error(["acme", "agreeTerms"], "must be true: the authority issues nothing otherwise");
  }
  if (acme.ca !== undefined) {
    const read = files.read(acme.ca, "authorities");
    if (read !== null && "problem" in read) context.error(["acme", "ca"], read.problem);
  }
  if (first === undefined) return context.warn(["acme"], "has no effect: no listener has tls.acme", "key");
  const names = acmeNames(context.config);
  if (names.length > MAX_NAMES) {
    context.error(["acme"], `cannot be for more than ${MAX_NAMES} names, and is for ${names.length}`, "key");
  }
  checkChallenge(context, acme.challenge);
  checkPair(context);
}

function wants(acme: boolean | readonly string[] | undefined): boolean {
  return acme !== undefined && acme !== false;
}

function checkNames(context: RuleContext, path: Path, listener: ListenerConfig): void {
  const { tls, routes } = listener;
  if (!context.whole(path.slice(0, -2))) return;
  const listed = tls?.acme;
  if (typeof listed === "object") {
    for (const [at, name] of listed.entries()) {
      const problem = acmeNameProblem(name);
      if (problem !== null) context.error([...path, at], problem);
    }
    return;
  }
  if (routes.every(({ match }) => match.host.length === 0)) {
    return context.error(path, "has no name: no route of the listener has a host, so list the names here");
  }
  for (const [at, { match }] of routes.entries()) {
    for (const host of match.host) {
      const problem = acmeNameProblem(host);
      if (problem === null) continue;
      const route = [...path.slice(0, 2), "routes", at, "match", "host"];
      // A certificate from a file may be for it.
      if (tls!.certificates.length > 0) {
        context.warn(route, `has no certificate by acme: ${host} is no exact name`);
      } else context.error(route, `has ${host}, for which tls.acme has no certificate: ${host} ${problem}`);
    }
  }
}

/** The authority asks at its port; who passes that on to another is not ours to know. */
function checkChallenge(context: RuleContext, challenge: keyof typeof PORTS): void {
  const answering = context.config.listeners.filter(({ protocol, forward, tls }) =>
    challenge === "http"
      ? protocol === "http" && forward === "proxy" && tls === undefined
      : forward === "proxy" && wants(tls?.acme)
  );
  const path = ["acme", "challenge"];
  const where = context.given(path) ? path : ["acme"];
  if (answering.length === 0) {
    return context.error(
      where,
      "needs an http listener without tls, where the authority sees the proof",
      "key",
    );
  }
  const port = PORTS[challenge];
  if (answering.some(({ bind }) => bind.some((one) => one.port === port))) return;
  const kind = challenge === "http" ? "an http listener without tls" : "a listener with tls.acme";
  context.warn(
    where,
    `wants ${kind} on port ${port}, where authorities ask, or something that passes it on`,
    "key",
  );
}

function checkPair(context: RuleContext): void {
  const { instances } = context.config.vrrp;
  if (instances.length === 0 || instances.some(({ keys }) => keys.length > 0)) return;
  const why = "are not shared between the nodes, as no instance of vrrp has keys";
  context.warn(["acme"], `gives each node certificates of its own, which ${why}`, "key");
}
