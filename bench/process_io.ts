/**
 * Processes under measurement: starting them, finding all their descendants, and reading what they cost from /proc.
 *
 * CPU time is user plus system time of every thread, in microseconds; memory is PSS, so that pages which processes of
 * one product share count once. Linux only. Knows nothing of the products.
 */

/** USER_HZ, in which /proc/PID/stat counts; 100 on every Linux that Deno runs on. */
const TICKS_PER_SECOND = 100;
const STOP_LIMIT_MS = 5_000;

export interface Running {
  readonly pid: number;
  /** Resolves when the process has ended. */
  readonly ended: Promise<unknown>;
  /** Asks it to end (SIGTERM), insists after five seconds. */
  stop(): Promise<void>;
}

/** Starts a program with everything it prints appended to the file `log`, which may be truncated meanwhile. */
export function start(
  program: string,
  args: readonly string[],
  log: string,
  env: Readonly<Record<string, string>> = {},
): Running {
  // `exec` keeps the process id: it is the program itself that is measured, not a shell above it.
  const child = new Deno.Command("/bin/sh", {
    args: ["-c", 'log=$1; shift; exec "$@" >>"$log" 2>&1', "sh", log, program, ...args],
    env: { ...env },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  let over = false;
  const ended = child.status.then(() => over = true);
  const kill = (signal: Deno.Signal) => {
    if (!over) child.kill(signal);
  };
  return {
    pid: child.pid,
    ended,
    async stop() {
      const family = tree(child.pid).filter((pid) => pid !== child.pid);
      kill("SIGTERM");
      const insist = setTimeout(() => kill("SIGKILL"), STOP_LIMIT_MS);
      await ended;
      clearTimeout(insist);
      family.forEach(killQuietly);
    },
  };
}

/** A process and all its descendants. */
export function tree(pid: number): number[] {
  const found = [pid];
  for (const parent of found) {
    for (const task of entries(`/proc/${parent}/task`)) {
      found.push(...(readQuietly(`/proc/${parent}/task/${task}/children`).match(/\d+/g) ?? []).map(Number));
    }
  }
  return found;
}

/**
 * User and system time of all threads of a process and its descendants, in microseconds since their start; without those
 * that have `except` among their arguments.
 */
export function cpuMicroseconds(pid: number, except?: string): number {
  let ticks = 0;
  for (const member of tree(pid)) {
    if (except !== undefined && readQuietly(`/proc/${member}/cmdline`).split("\0").includes(except)) continue;
    // After the name in parentheses, which may hold spaces, the fields count from 3: utime is 14, stime 15.
    const fields = readQuietly(`/proc/${member}/stat`).replace(/^.*\) /s, "").split(" ");
    ticks += Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  }
  return ticks * 1_000_000 / TICKS_PER_SECOND;
}

/** Proportional resident memory of a process and its descendants, in bytes. */
export function memoryBytes(pid: number): number {
  const sizes = tree(pid).map((member) =>
    Number(/^Pss:\s+(\d+) kB/m.exec(readQuietly(`/proc/${member}/smaps_rollup`))?.[1] ?? 0)
  );
  return sizes.reduce((sum, size) => sum + size, 0) * 1024;
}

/** Open file descriptors of a process and its descendants. */
export function openFiles(pid: number): number {
  return tree(pid).reduce((sum, member) => sum + entries(`/proc/${member}/fd`).length, 0);
}

/** A TCP port on loopback that was free just now. */
export function freePort(): number {
  return freePorts(1)[0]!;
}

/** Several of them, no two the same. */
export function freePorts(count: number): number[] {
  const listeners = Array.from({ length: count }, () => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  for (const listener of listeners) listener.close();
  return listeners.map(({ addr }) => addr.port);
}

/** Resolves when something accepts connections on the port; rejects when the process ends before, or after `limitMs`. */
export async function accepting(port: number, running: Running, limitMs = 15_000): Promise<void> {
  let over = false;
  running.ended.then(() => over = true);
  const until = Date.now() + limitMs;
  while (!over && Date.now() < until) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error(over ? "it ended at once" : `port ${port} does not accept connections`);
}

function entries(directory: string): string[] {
  try {
    return [...Deno.readDirSync(directory)].map((entry) => entry.name);
  } catch {
    return []; // The process has ended meanwhile.
  }
}

function readQuietly(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return ""; // The process has ended meanwhile.
  }
}

function killQuietly(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch {
    // It ended with its parent, as it should.
  }
}
