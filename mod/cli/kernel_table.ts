/**
 * What the kernel forwards, for `tandem status`: a small table of servers under each listener. Pure.
 */
import type { ForwardedServer, KernelStatus, ServiceStatus } from "../observe/kernel_status.ts";

const HEADINGS = ["server", "address", "state", "share", "connections", "bytes in", "bytes out"];
/** Columns of numbers stand to the right. */
const FIRST_NUMBER = HEADINGS.indexOf("share");
const UNITS = ["", "k", "M", "G", "T"];

/** The text, with its last newline; empty when there is nothing of the kind. */
export function kernelTable({ problem, services }: KernelStatus): string {
  if (services.length === 0) return "";
  const trouble = problem === null ? "" : `\nthe kernel's rules are not in force: ${problem}\n`;
  return trouble + services.map(serviceTable).join("");
}

function serviceTable({ name, protocol, mode, binds, pool, policy, servers }: ServiceStatus): string {
  const rows = [HEADINGS, ...servers.map(serverRow)];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) => {
    const cells = row.map((cell, column) =>
      column < FIRST_NUMBER ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)
    );
    return "  " + cells.join("  ").trimEnd() + "\n";
  });
  return `\nlistener ${name} (${protocol}, ${mode}) on ${binds.join(", ")}: pool ${pool}, ${policy}\n${
    lines.join("")
  }`;
}

function serverRow(server: ForwardedServer): string[] {
  const { name, address, open, up, share, connections, bytesIn, bytesOut } = server;
  const state = open ? "open" : up ? "closed" : "down";
  const numbers = [String(connections), amount(bytesIn), amount(bytesOut)];
  return [name, address, state, `${Math.round(share * 100)}%`, ...numbers];
}

/** `940`, `12.5k`, `3.0G`: powers of 1024. */
function amount(bytes: number): string {
  let unit = 0;
  for (; bytes >= 1024 && unit < UNITS.length - 1; unit++) bytes /= 1024;
  return unit === 0 ? String(bytes) : bytes.toFixed(1) + UNITS[unit];
}
