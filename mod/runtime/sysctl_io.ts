/**
 * Kernel settings that the keeper changes while it runs and puts back at its end.
 *
 * One now: `net.ipv4.tcp_migrate_req`, with which the kernel hands the connections that wait in a closing
 * listener's queue to another listener of the same port (Linux 5.14), so that a reload resets none. What was
 * right already is left alone. A missing privilege is a warning: everything else works without. A keeper that is
 * killed puts nothing back, and of two keepers in one network namespace the one that changed the setting does.
 */
import { cString, ENOENT, errno, lastError, type Libc, withLibc } from "../base/libc_io.ts";
import { readWith } from "../base/proc_file_io.ts";
import { reasonOf } from "../base/reason.ts";

export const MIGRATE_REQUESTS = "net.ipv4.tcp_migrate_req";

const O_RDONLY = 0;
const O_RDWR = 2;
const O_CLOEXEC = 0o2000000;

export class Sysctls {
  #before = new Map<string, string>();

  /** Sets one. The answer is a problem for the log, or null. */
  set(name: string, value: string): string | null {
    try {
      return withLibc((libc) => {
        const before = read(libc, name);
        if (before === value) return null;
        write(libc, name, value);
        if (!this.#before.has(name)) this.#before.set(name, before);
        return null;
      });
    } catch (error) {
      return `Cannot set ${name}=${value}: ${reasonOf(error)}`;
    }
  }

  /** What was changed, as it was before. */
  get changed(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#before);
  }

  /** Answers for what another keeper has changed: it is put back at this one's end. */
  adopt(changed: Readonly<Record<string, string>>): void {
    for (const [name, before] of Object.entries(changed)) this.#before.set(name, before);
  }

  /** Another keeper answers for it. */
  forget(): void {
    this.#before.clear();
  }

  /** Puts back what was changed; what is gone with its interface is passed over. Problems are for the log. */
  restore(): string[] {
    const problems: string[] = [];
    for (const [name, value] of this.#before) {
      try {
        withLibc((libc) => exists(libc, name) && write(libc, name, value));
      } catch (error) {
        problems.push(
          `Cannot put ${name} back to ${value}: ${reasonOf(error)}`,
        );
      }
    }
    this.#before.clear();
    return problems;
  }
}

/** The present value of a setting. Throws when it cannot be read. */
export function readSysctl(name: string): string {
  return withLibc((libc) => read(libc, name));
}

function exists(libc: Libc, name: string): boolean {
  const fd = libc.open(cString(pathOf(name)), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno(libc) !== ENOENT;
  libc.close(fd);
  return true;
}

function open(libc: Libc, name: string, flags: number): number {
  const fd = libc.open(cString(pathOf(name)), flags | O_CLOEXEC);
  if (fd < 0) throw new Error(lastError(libc));
  return fd;
}

/** As sysctl(8) reads names: an interface `eth0.7` is written `eth0/7`. */
function pathOf(name: string): string {
  return "/proc/sys/" + name.replace(/[./]/g, (mark) => mark === "." ? "/" : ".");
}

function read(libc: Libc, name: string): string {
  return readWith(libc, pathOf(name)).trim();
}

function write(libc: Libc, name: string, value: string): void {
  const fd = open(libc, name, O_RDWR);
  try {
    const bytes = new TextEncoder().encode(value + "\n");
    if (libc.write(fd, bytes, BigInt(bytes.length)) !== bytes.length) throw new Error(lastError(libc));
  } finally {
    libc.close(fd);
  }
}
