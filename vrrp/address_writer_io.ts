/**
 * The two ways to change the addresses of an interface: netlink through FFI (30 µs, measured), and `ip` where FFI is
 * not allowed (3 ms, and as long as it takes to start a process on a busy machine).
 *
 * Both do the same, and tell what failed in words. Netlink has done its work when the call returns, before the promise
 * is looked at.
 */
import { formatIp } from "../mod/base/address.ts";
import { EADDRNOTAVAIL, ENODEV } from "../mod/base/libc_io.ts";
import { deleteLine, listArguments, parseAddressList, setLine } from "./ip_command.ts";
import type { AddressSetting, InterfaceAddress } from "./netlink.ts";
import { netlinkProblem, type NetlinkSocket } from "./netlink_io.ts";
import { Turns } from "./turns.ts";
import type { Vip } from "./vip.ts";

export interface AddressWriter {
  readonly via: "netlink" | "ip";
  /** For what takes several calls that nobody else's may come between. */
  readonly turns: Turns;
  /** The addresses of an interface. Throws when there is no such interface. */
  list(device: string): Promise<InterfaceAddress[]>;
  /** Adds addresses or renews their leases; what failed, in words. */
  set(device: string, settings: readonly AddressSetting[]): Promise<string[]>;
  /** Removes addresses in their order; one that is not there is not a failure. */
  remove(device: string, addresses: readonly Vip[]): Promise<string[]>;
}

export function netlinkWriter(socket: NetlinkSocket): AddressWriter {
  const indexOf = (device: string): number => {
    const link = socket.links().find(({ name }) => name === device);
    if (link === undefined) throw new Error(`Cannot find the interface ${device}`);
    return link.index;
  };
  /** One request an address; ENODEV when the interface has gone meanwhile. */
  const each = <T extends Vip>(device: string, entries: readonly T[], verb: string, request: Request<T>) => {
    const link = socket.links().find(({ name }) => name === device);
    return entries.flatMap((entry) => {
      const code = link === undefined ? ENODEV : request(link.index, entry);
      if (code === 0) return [];
      return [`Cannot ${verb} ${formatIp(entry.address)} on ${device}: ${netlinkProblem(code)}`];
    });
  };
  return {
    via: "netlink",
    turns: new Turns(),
    list: (device) => Promise.try(() => socket.addresses(indexOf(device))),
    set: (device, settings) =>
      Promise.try(() => each(device, settings, "set", (index, setting) => socket.setAddress(index, setting))),
    remove: (device, addresses) =>
      Promise.try(() =>
        each(device, addresses, "remove", (index, address) => {
          const code = socket.deleteAddress(index, address);
          return code === EADDRNOTAVAIL ? 0 : code;
        })
      ),
  };
}

type Request<T> = (index: number, entry: T) => number;

/** The part of a child process that is needed. */
export interface IpProcess {
  readonly stdin: WritableStream<Uint8Array>;
  output(): Promise<{ readonly success: boolean; readonly stdout: Uint8Array; readonly stderr: Uint8Array }>;
}

/** Starts `ip` with all three streams piped; starting is done in one place of the product, and not here. */
export type SpawnIp = (args: string[]) => IpProcess;

export function ipWriter(spawn: SpawnIp): AddressWriter {
  const batch = async (verb: string, device: string, lines: readonly string[]): Promise<string[]> => {
    if (lines.length === 0) return [];
    // -force: one that fails does not keep the others from being done.
    const result = await run(spawn, ["-force", "-batch", "-"], lines.join("\n") + "\n");
    if (result.ok) return [];
    const failures = result.stderr.split("\n").filter((line) => line !== "" && !ECHO_OF_BATCH.test(line));
    const real = verb === "remove" ? failures.filter((line) => !NOT_THERE.test(line)) : failures;
    return real.map((line) => `Cannot ${verb} an address on ${device}: ${line}`);
  };
  return {
    via: "ip",
    turns: new Turns(),
    list: async (device) => {
      const result = await run(spawn, listArguments(device), "");
      const addresses = result.ok ? parseAddressList(result.stdout) : null;
      if (addresses === null) {
        throw new Error(`Cannot list the addresses of ${device}: ${result.stderr.trim()}`);
      }
      return addresses;
    },
    set: (device, settings) => batch("set", device, settings.map((setting) => setLine(device, setting))),
    remove: (device, addresses) =>
      batch("remove", device, addresses.map((address) => deleteLine(device, address))),
  };
}

/** `ip` names the line of a batch that failed after the reason; ours are short enough to do without. */
const ECHO_OF_BATCH = /^Command failed /;
/** EADDRNOTAVAIL, in the words of `ip`. */
const NOT_THERE = /Cannot assign requested address|Address not found/;

async function run(spawn: SpawnIp, args: string[], input: string) {
  const child = spawn(args);
  const writer = child.stdin.getWriter();
  // An `ip` that ended early tells why in its output.
  await writer.write(new TextEncoder().encode(input)).catch(() => undefined);
  await writer.close().catch(() => undefined);
  const { success, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { ok: success, stdout: text(stdout), stderr: text(stderr) };
}
