/**
 * Which processes run, by name, from `/proc`: which Deno reads only with every permission, and so libc does. One look at
 * 300 processes takes about 2 ms. What may not be seen (`hidepid`) does not run, as far as this knows.
 */
import { cString, lastError, type Libc } from "../base/libc_io.ts";

/** Of `struct dirent` on Linux with 64-bit offsets. */
const NAME_OFFSET = 19;
const O_RDONLY_CLOEXEC = 0o2000000;
/** Of `/proc/PID/stat` only the beginning: number, name, state. */
const STAT_BYTES = 128;

/** How many processes of each name there are; those that have ended and were not waited for are none. */
export function countProcesses(libc: Libc): Map<string, number> {
  const counts = new Map<string, number>();
  const buffer = new Uint8Array(STAT_BYTES);
  for (const pid of processIds(libc)) {
    const name = nameOf(libc, pid, buffer);
    if (name !== null) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

function processIds(libc: Libc): string[] {
  const directory = libc.opendir(cString("/proc"));
  if (directory === null) throw new Error(`Cannot read /proc: ${lastError(libc)}`);
  const ids: string[] = [];
  for (let entry = libc.readdir(directory); entry !== null; entry = libc.readdir(directory)) {
    const name = new Deno.UnsafePointerView(entry).getCString(NAME_OFFSET);
    if (/^\d+$/.test(name)) ids.push(name);
  }
  libc.closedir(directory);
  return ids;
}

/** Null: it has ended meanwhile, or is only waited for. */
function nameOf(libc: Libc, pid: string, buffer: Uint8Array<ArrayBuffer>): string | null {
  const fd = libc.open(cString(`/proc/${pid}/stat`), O_RDONLY_CLOEXEC);
  if (fd < 0) return null;
  const length = libc.read(fd, buffer, BigInt(buffer.length));
  libc.close(fd);
  // The name stands in parentheses, and may have some itself.
  const text = new TextDecoder().decode(buffer.subarray(0, Math.max(0, length)));
  const [, name, state] = /^\d+ \((.*)\) (\S)/s.exec(text) ?? [];
  return name === undefined || state === "Z" || state === "X" ? null : name;
}
