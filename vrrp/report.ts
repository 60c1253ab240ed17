/**
 * The report that every node sends in every state: what it is, how well it is, and what it was told to do.
 *
 * The body of a sealed datagram of kind "report" (extension.ts), which already names the node, its configuration and
 * its health. Bounded: instances always fit, then come reasons, in a share of the room and cut short, then pools and admin
 * states as far as there is room, and the counts tell a reader what was left out. It never decides anything: that is the
 * machine's affair. Version 2 appends the reasons; who knows version 1 only passes them over.
 */
import { Reader, Writer } from "./cursor.ts";
import { type Dropped, dropped } from "./drops.ts";
import { MAX_BODY_BYTES } from "./extension.ts";

/** Reports are no more frequent than this, however short the advert interval. */
export const MIN_REPORT_INTERVAL_MS = 250;
/** As many as one node can have of one family, within one datagram. */
export const MAX_INSTANCES = 64;
/** Longest name of a pool or server in a report, and of a version. */
export const MAX_NAME_BYTES = 100;

/** Longest reason in a report, in bytes: a line of `tandem status`. */
export const MAX_REASON_BYTES = 120;

/** Of all reasons together; the rest is left to pools. */
const MAX_REASONS_BYTES = 400;

const REPORT_VERSION = 2;
const FIRST_VERSION = 1;
const STATES = ["initialize", "backup", "active", "fault"] as const;
const ADMIN_STATES = ["drain", "maint"] as const;

export interface InstanceReport {
  readonly vrid: number;
  readonly state: typeof STATES[number];
  /** The effective priority now, 0-255. */
  readonly priority: number;
  /** How well this node could serve the instance, 0-65535; more is better. */
  readonly health: number;
  /** Why the state and the health are what they are; "": not told. */
  readonly reason: string;
}

export interface PoolReport {
  readonly name: string;
  readonly healthy: number;
  readonly servers: number;
}

export interface AdminReport {
  /** `POOL/SERVER`, or a node-wide thing by its name. */
  readonly name: string;
  readonly state: typeof ADMIN_STATES[number];
}

export interface Report {
  /** The program's version. */
  readonly version: string;
  /** Milliseconds since this node's keeper started. */
  readonly uptimeMs: number;
  /** True while an operator keeps the node from serving. */
  readonly maintenance: boolean;
  readonly instances: readonly InstanceReport[];
  readonly pools: readonly PoolReport[];
  /** Only what is not ready. */
  readonly admin: readonly AdminReport[];
  /** Pools and admin states that found no room. */
  readonly omitted: number;
}

export type DecodedReport = { readonly ok: true; readonly report: Report } | Dropped;

/** How long to wait between two reports, for an advert interval. */
export function reportIntervalMs(advertIntervalMs: number): number {
  return Math.max(advertIntervalMs, MIN_REPORT_INTERVAL_MS);
}

/** The body of a report. Throws a RangeError only for more than MAX_INSTANCES instances or a version too long. */
export function encodeReport(report: Omit<Report, "omitted">): Uint8Array<ArrayBuffer> {
  if (report.instances.length > MAX_INSTANCES || byteLength(report.version) > MAX_NAME_BYTES) {
    throw new RangeError(`Cannot report ${report.instances.length} instances of version ${report.version}`);
  }
  const writer = new Writer(MAX_BODY_BYTES);
  writer.u8(REPORT_VERSION).u8(report.maintenance ? 1 : 0).u64(Math.floor(report.uptimeMs))
    .shortText(report.version).u8(report.instances.length);
  for (const { vrid, state, priority, health } of report.instances) {
    writer.u8(vrid).u8(STATES.indexOf(state)).u8(priority).u16(health);
  }
  const room = MAX_BODY_BYTES - writer.length - COUNTS_BYTES;
  const reasons = fittingReasons(report.instances, Math.min(room, MAX_REASONS_BYTES));
  const pools = fitting(report.pools, POOL_BYTES, room - reasons.bytes);
  const admin = fitting(report.admin, ADMIN_BYTES, room - reasons.bytes - pools.bytes);
  const given = report.pools.length + report.admin.length;
  writer.u16(given - pools.chosen.length - admin.chosen.length).u8(pools.chosen.length);
  for (const { name, healthy, servers } of pools.chosen) writer.shortText(name).u16(healthy).u16(servers);
  writer.u8(admin.chosen.length);
  for (const { name, state } of admin.chosen) writer.shortText(name).u8(ADMIN_STATES.indexOf(state));
  writer.u8(reasons.chosen.length);
  for (const { vrid, text } of reasons.chosen) writer.u8(vrid).shortText(text);
  return writer.written().slice();
}

/** Reads a report; malformed is a reason, never an exception. */
export function decodeReport(bytes: Uint8Array): DecodedReport {
  const reader = new Reader(bytes);
  // A later version may only append; what it appends is not for us.
  const version = reader.u8();
  if (version < FIRST_VERSION) return dropped("report");
  const flags = reader.u8();
  const uptimeMs = reader.safe();
  const program = reader.shortText();
  const states = list(reader, () => ({
    vrid: reader.u8(),
    state: STATES[reader.u8()],
    priority: reader.u8(),
    health: reader.u16(),
  }));
  const omitted = reader.u16();
  const pools = list(reader, () => ({
    name: reader.shortText(),
    healthy: reader.u16(),
    servers: reader.u16(),
  }));
  const admin = list(reader, () => ({ name: reader.shortText(), state: ADMIN_STATES[reader.u8()] }));
  const told = version === FIRST_VERSION
    ? []
    : list(reader, () => ({ vrid: reader.u8(), reason: reader.shortText() }));
  if (version <= REPORT_VERSION ? !reader.complete : !reader.intact) return dropped("report");
  const reasons = new Map(told.map(({ vrid, reason }) => [vrid, reason]));
  const instances = states.map((one) => ({ ...one, reason: reasons.get(one.vrid) ?? "" }));
  if (!instances.every(hasState) || !admin.every(hasState)) return dropped("report");
  const maintenance = (flags & 1) === 1;
  return { ok: true, report: { version: program, uptimeMs, maintenance, instances, pools, admin, omitted } };
}

/** The reasons of the first instances, as far as there is room. */
function fittingReasons(instances: readonly InstanceReport[], room: number) {
  const chosen: { readonly vrid: number; readonly text: string }[] = [];
  let bytes = 0;
  for (const { vrid, reason } of instances) {
    const text = shortened(reason, MAX_REASON_BYTES);
    const more = REASON_BYTES + byteLength(text);
    if (text === "" || bytes + more > room) continue;
    chosen.push({ vrid, text });
    bytes += more;
  }
  return { chosen, bytes };
}

/** As much of a text as has no more bytes, without what would spoil a log. */
function shortened(text: string, maxBytes: number): string {
  const clean = text.replace(/\p{Cc}/gu, "?");
  if (byteLength(clean) <= maxBytes) return clean;
  const cut = new TextEncoder().encode(clean).subarray(0, maxBytes - ELLIPSIS_BYTES);
  // A character that was cut through is left out.
  return new TextDecoder().decode(cut, { stream: true }) + "…";
}

/** Bytes of the counts: what was left out, pools, admin states, reasons. */
const COUNTS_BYTES = 5;
/** Bytes of a reason besides its text, and of the mark that it was cut short. */
const REASON_BYTES = 2;
const ELLIPSIS_BYTES = 3;
/** Bytes of an entry besides its name. */
const POOL_BYTES = 5;
const ADMIN_BYTES = 2;

/** The first entries that fit; a name that is too long is passed over. */
function fitting<T extends { readonly name: string }>(
  entries: readonly T[],
  overhead: number,
  room: number,
): { chosen: T[]; bytes: number } {
  const chosen: T[] = [];
  let bytes = 0;
  for (const entry of entries) {
    const name = byteLength(entry.name);
    if (name > MAX_NAME_BYTES || chosen.length === 255 || bytes + name + overhead > room) continue;
    chosen.push(entry);
    bytes += name + overhead;
  }
  return { chosen, bytes };
}

/** As many entries as the byte before them says; none after a failure, so that a count costs nothing. */
function list<T>(reader: Reader, read: () => T): T[] {
  const entries: T[] = [];
  for (let left = reader.u8(); left > 0 && reader.intact; left--) entries.push(read());
  return entries;
}

function hasState<T extends { readonly state: string | undefined }>(
  entry: T,
): entry is T & { readonly state: Exclude<T["state"], undefined> } {
  return entry.state !== undefined;
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
