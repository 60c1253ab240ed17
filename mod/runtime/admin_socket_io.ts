/**
 * The keeper's admin socket, and with it the proof that no other keeper of this node runs.
 *
 * A lock file beside the socket is held for life: the kernel frees it with the process, so who holds the lock may
 * remove a socket that was left behind, and two that start at once cannot both win. Who has it removes it at the end;
 * whoever gets it makes sure that it is still the file of that name. The socket is 0660.
 */
import { reasonOf } from "../base/reason.ts";
import { dirname } from "node:path";
import { readAccounts } from "./accounts_io.ts";
import { listenAt, type SocketHandler, type SocketServer } from "./socket_server_io.ts";

/** Whoever has the lock has it for life, so a short wait says it all; a predecessor may just be going. */
const LOCK_MS = 500;
/** Whoever has asked for an upgrade is answered when it is done, which takes its time on a busy machine. */
const RELEASE_MS = 30_000;
/** How long a live keeper may take to say who it is; it only improves a message. */
const ANSWER_MS = 1000;

export type Opened = { readonly socket: AdminSocket } | { readonly problem: string };

export class AdminSocket {
  readonly path: string;
  #lock: Deno.FsFile;
  #server: SocketServer;
  #stopped: Promise<void> | null = null;

  private constructor(path: string, lock: Deno.FsFile, server: SocketServer) {
    this.path = path;
    this.#lock = lock;
    this.#server = server;
  }

  /** Takes the lock and the socket, or says who has them. */
  static async open(
    path: string,
    handler: SocketHandler,
  ): Promise<Opened> {
    let lock: Deno.FsFile | null;
    try {
      await Deno.mkdir(dirname(path), { recursive: true, mode: 0o750 });
      const problem = await strangersDirectory(dirname(path));
      if (problem !== null) return { problem: `Cannot open the admin socket ${path} as ${problem}` };
      lock = await takeLock(lockOf(path), true);
    } catch (error) {
      return { problem: `Cannot open the admin socket ${path}: ${reasonOf(error)}` };
    }
    if (lock === null) return { problem: await describeOwner(path) };
    try {
      return { socket: new AdminSocket(path, lock, await serve(path, handler)) };
    } catch (error) {
      lock.close();
      return { problem: `Cannot open the admin socket ${path}: ${reasonOf(error)}` };
    }
  }

  /** Frees the lock at once, for a keeper that puts its own socket in the place of this one. */
  release(): void {
    if (this.#stopped !== null) return;
    this.#stopped = this.#server.close(RELEASE_MS);
    this.#lock.close();
  }

  /** Stops answering, removes the socket and the lock, frees it. After `release` only what is under way is answered. */
  async close(): Promise<void> {
    if (this.#stopped !== null) return await this.#stopped;
    this.#stopped = this.#server.close();
    await this.#stopped;
    await Deno.remove(this.path).catch(() => {});
    // While it is held: whoever waits for it sees then that it is no more.
    await Deno.remove(lockOf(this.path)).catch(() => {});
    this.#lock.close();
  }
}

/**
 * Why a directory is not safe, or null: whoever owns it may put another socket in the place of ours. A directory
 * below /tmp, whose name can be guessed, may have been made by anybody.
 */
async function strangersDirectory(directory: string): Promise<string | null> {
  const { uid } = await Deno.lstat(directory);
  if (uid === null || uid === 0 || uid === Deno.uid()) return null;
  return `${directory} belongs to another user (uid ${uid}), who could put another socket in its place`;
}

/** True while a keeper of the node that has its socket there is alive, even one that is frozen: it has the lock. */
export async function isRunning(path: string): Promise<boolean> {
  try {
    // When it is another's, the attempt goes on until the process ends: so this is for commands that end.
    const lock = await takeLock(lockOf(path), false);
    lock?.close();
    return lock === null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Asks a live keeper. Rejects when there is none. */
export async function askAdmin(
  path: string,
  request: string,
  withinMs = ANSWER_MS,
  method: "GET" | "POST" | "PUT" = "GET",
  body?: unknown,
): Promise<unknown> {
  using client = Deno.createHttpClient({ proxy: { transport: "unix", path } });
  const signal = AbortSignal.timeout(withinMs);
  const json = body === undefined
    ? {}
    : { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
  const answer = await fetch(`http://localhost${request}`, { client, method, signal, ...json });
  return await answer.json();
}

function lockOf(path: string): string {
  return path + ".lock";
}

/** The lock file, held; null: it is another's. Rejects with `NotFound` when it is not there, and not to be made. */
async function takeLock(path: string, create: boolean): Promise<Deno.FsFile | null> {
  for (;;) {
    const lock = await Deno.open(path, { create, write: true, mode: 0o600 });
    if (!await lockWithin(lock, LOCK_MS)) return null;
    if (await isAt(lock, path)) return lock;
    // Who had it before has removed it, and the next to come would lock another.
    lock.close();
  }
}

async function isAt(file: Deno.FsFile, path: string): Promise<boolean> {
  try {
    const [own, there] = await Promise.all([file.stat(), Deno.stat(path)]);
    return own.dev === there.dev && own.ino === there.ino;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** False: the lock is another's. Then the attempt goes on until the process ends, which is soon. */
async function lockWithin(file: Deno.FsFile, withinMs: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), withinMs);
  const locked = await Promise.race([file.lock(true).then(() => true), late]);
  clearTimeout(timer);
  return locked;
}

/**
 * Serves at a name of its own first, which then replaces what is there: at every moment somebody answers. And the runtime
 * removes the name that it has bound when it ends, which would be the successor's.
 */
async function serve(path: string, handler: SocketHandler): Promise<SocketServer> {
  const own = `${dirname(path)}/.${Deno.pid.toString(36)}`;
  // The socket never exists with more rights than it is to have: the mask is set around the bind.
  const before = Deno.umask(0o117);
  let listening: Promise<SocketServer>;
  try {
    removeIfThere(own);
    listening = listenAt(own, handler, userName);
  } finally {
    Deno.umask(before);
  }
  const server = await listening;
  Deno.renameSync(own, path);
  return server;
}

function userName(uid: number): string {
  const named = [...readAccounts().users].find(([, account]) => account.uid === uid);
  return named === undefined ? `uid ${uid}` : `${named[0]} (uid ${uid})`;
}

/** One that had the same number may have been killed in between. */
function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function describeOwner(path: string): Promise<string> {
  let owner = "it does not answer on its socket";
  try {
    const status = await askAdmin(path, "/status");
    if (typeof status === "object" && status !== null && "pid" in status) owner = `process ${status.pid}`;
  } catch {
    // The lock is proof enough.
  }
  return `Cannot run as this node runs already (${owner}): ${path} is taken. ` +
    "Two of one name would share its ports in silence; to reload it send it SIGHUP; for another node give another --node";
}
