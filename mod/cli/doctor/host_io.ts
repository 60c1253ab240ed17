/** The machine around the node: clock, disk, the service, names and certificates. */
import fs from "node:fs";
import { cString, lastError, withLibc } from "../../base/libc_io.ts";
import { readTlsFiles } from "../../config/certificates.ts";
import { certificateFiles } from "../../config/certificate_files_io.ts";
import { certificateReader } from "../../config/certificates_io.ts";
import { namedCertificates } from "../../config/named_certificates.ts";
import type { FileKind } from "../../config/named_files.ts";
import { lookUp, SYSTEM_LOOKUP } from "../../discovery/lookup_io.ts";
import { readCertificate } from "../../net/certificate_io.ts";
import { AHEAD_DAYS, daysUntil } from "../../observe/expiry.ts";
import { namesOf } from "../../runtime/names.ts";
import { acmeDirectory } from "../../runtime/state_path.ts";
import { type Finding, ok, problem, warning } from "./finding.ts";
import { hadFindings } from "./had.ts";
import type { Machine } from "./machine_io.ts";

/** adjtimex(2). */
const TIME_ERROR = 5;
const TIMEX_BYTES = 208;
/** Between nodes. */
const MOST_OFFSET_MS = 2000;
/** Of access(2): to write in a directory. */
const WRITE = 2 | 1;
const LEAST_FREE_BYTES = 100 * 1024 * 1024;
const LEAST_FREE_SHARE = 0.05;
const LOOKUP_MS = 4000;
/** Uses of files that are read anew when they change. */
const WATCHED = /^(admin|listeners)\./;

export function clock({ keeper }: Machine): Finding[] {
  const peers = keeper?.vrrp.instances.flatMap(({ peers }) => peers) ?? [];
  const off = peers.filter(({ clockOffsetMs }) => Math.abs(clockOffsetMs) > MOST_OFFSET_MS).map((
    { node, clockOffsetMs },
  ) =>
    warning("clock", `that of ${node} is ${Math.round(clockOffsetMs / 1000)} s off ours`, "synchronise both")
  );
  if (off.length > 0) return off;
  try {
    const state = withLibc((libc) => libc.adjtimex(new Uint8Array(TIMEX_BYTES)));
    if (state === TIME_ERROR) {
      return [
        warning(
          "clock",
          "is not synchronised, as far as the kernel knows: certificates and logs go by it",
          "systemctl enable --now systemd-timesyncd, or chrony",
        ),
      ];
    }
  } catch {
    return [ok("clock", "whether it is synchronised cannot be asked")];
  }
  return [ok("clock", "is synchronised")];
}

export function disk(machine: Machine): Finding[] {
  const { config, node } = machine;
  if (config?.acme === undefined) return [];
  const directory = acmeDirectory({
    ...{ configured: config.acme.state, node, uid: Deno.uid() },
    env: (name) => machine.env(name),
  });
  const there = nearest(directory);
  const barrier = writeBarrier(there);
  if (barrier !== null) {
    const text = `${directory} cannot be written, so certificates are not kept: ${there}: ${barrier}`;
    return barrier === "permission denied" && !machine.isRoot
      ? [warning("state", text, "run doctor as the node's user, or give that one the directory")]
      : [problem("state", text, "mend it, or set acme.state to another directory")];
  }
  const { bsize, bavail, blocks, ffree } = fs.statfsSync(there);
  const free = bsize * bavail, told = `${directory}: ${Math.round(free / 2 ** 20)} MiB are free`;
  const full = free < LEAST_FREE_BYTES || bavail < LEAST_FREE_SHARE * blocks || ffree === 0;
  return [
    full
      ? problem(
        "state",
        `${told}: certificates may not be kept`,
        "make room, or set acme.state to another disk",
      )
      : ok("state", told),
  ];
}

/** Why nothing can be written in what is there, or null. Nothing is written to see it. */
export function writeBarrier(there: string): string | null {
  if (!fs.statSync(there).isDirectory()) return "it is no directory";
  return withLibc((libc) => libc.access(cString(there), WRITE) === 0 ? null : lastError(libc));
}

/** The directory itself, or the one above it that it would be made in. */
function nearest(directory: string): string {
  for (let at = directory;; at = at.replace(/\/[^/]*$/, "") || "/") {
    if (at === "/" || fs.existsSync(at)) return at;
  }
}

export async function service(machine: Machine): Promise<Finding[]> {
  const told = await machine.run(
    ...["systemctl", "show", "tandem.service"] as const,
    "--property=LoadState,ActiveState,SubState,UnitFileState,Result,NRestarts",
  );
  if ("problem" in told) return [ok("service", "there is no systemd here, or it cannot be asked")];
  const of = Object.fromEntries(told.text.trim().split("\n").map((line) => line.split("=", 2)));
  if (of.LoadState !== "loaded") {
    return [
      machine.keeper === null
        ? warning(
          "service",
          "there is no unit tandem.service",
          "install the package, or packaging/tandem.service",
        )
        : ok("service", "the node runs, and not as a service"),
    ];
  }
  const state = `tandem.service is ${of.ActiveState} (${of.SubState}), ${of.UnitFileState}`;
  if (of.ActiveState === "failed") {
    return [problem("service", `${state}: ${of.Result}`, "journalctl -u tandem -b tells why")];
  }
  if (of.ActiveState === "active" && of.UnitFileState !== "enabled") {
    return [
      warning(
        "service",
        `${state}: it does not come back after a restart of the machine`,
        "systemctl enable tandem",
      ),
    ];
  }
  if (Number(of.NRestarts) > 0) {
    return [
      warning(
        "service",
        `${state}, and was restarted ${of.NRestarts} times`,
        "journalctl -u tandem -b tells why",
      ),
    ];
  }
  return [ok("service", state)];
}

export async function names({ config }: Machine): Promise<Finding[]> {
  const all = config === null ? [] : namesOf(config);
  if (all.length === 0) return [ok("names", "no server is a name")];
  return await Promise.all(all.map(async (name) => {
    const { services, addresses } = await lookUp(name, SYSTEM_LOOKUP, AbortSignal.timeout(LOOKUP_MS));
    const parts = [...services === null ? [] : [services], ...addresses.values()];
    const isFound = parts.some((part) => part.kind === "found" && part.records.length > 0);
    if (isFound) return ok("names", `${name.dns} (${name.type}) is known`);
    const why = parts.flatMap((part) => part.kind === "found" ? [] : [part.reason])[0] ?? "no answer";
    return warning(
      "names",
      `${name.dns} (${name.type}): ${why}`,
      "look at /etc/resolv.conf, and at the name",
    );
  }));
}

/** That they are good has been checked with the configuration. */
export async function certificates(machine: Machine): Promise<Finding[]> {
  const { config, had } = machine;
  const found = [...hadFindings(had, Date.now()), ...await filesOf(machine)];
  if (found.length > 0) return found;
  const what = config?.acme === undefined
    ? "the configuration names no files"
    : "those by ACME are told of by the running node";
  return [ok("certificates", what)];
}

async function filesOf({ config, file }: Machine): Promise<Finding[]> {
  if (config === null) return [];
  const { files: tls, problems } = await readTlsFiles(config, certificateReader(file, Date.now));
  if (problems.length > 0) {
    return problems.map(({ message }) => problem("certificates", message, "see tandem check"));
  }
  const shown = config.listeners.flatMap(({ tls }) => tls?.certificates ?? []).map(({ cert, key }) => {
    const { names, expiresAt } = tls.certificate(cert, key);
    return {
      what: `${cert} (${names.join(", ")})`,
      expiresAt,
      fix: "renew it; the node sees that by itself",
    };
  });
  const reader = certificateFiles(file);
  const text = (path: string, kind: FileKind) => {
    const read = reader.read(path, kind);
    return "text" in read ? read.text : undefined;
  };
  const others = namedCertificates(config, { tls, text, read: readCertificate }).map(
    ({ use, name, file, expiresAt }) => ({
      what: `${file} (${name}) of ${use}`,
      expiresAt,
      fix: `renew it; ${WATCHED.test(use) ? "the node sees that by itself" : "then tandem reload"}`,
    }),
  );
  return [...shown, ...others].map(({ what, expiresAt, fix }) => {
    const days = daysUntil(expiresAt, Date.now());
    if (days < 0) return problem("certificates", `${what} has expired`, fix);
    const told = `${what} expires in ${days} days`;
    return days < AHEAD_DAYS ? warning("certificates", told, fix) : ok("certificates", told);
  });
}
