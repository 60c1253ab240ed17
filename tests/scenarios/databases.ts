/** Real databases of Debian's on loopback, each in a directory of its own and gone with it. */
import { CERTIFICATE, KEY } from "../health/certificate.ts";
import { requireTool } from "../lab/tools.ts";
import { freePort } from "./node.ts";

/** Whoever waits longer for a server to start waits for one that does not. */
const START_MS = 60_000;
/** `nobody` of Debian: PostgreSQL refuses to run as root. */
const NOBODY = 65534;

export interface Database extends AsyncDisposable {
  readonly port: number;
  /** What it has logged so far. */
  readonly log: () => string;
}

/** Redis with a password, or without. */
export async function startRedis(password?: string): Promise<Database> {
  const port = freePort();
  const directory = await Deno.makeTempDir();
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--dir", directory];
  const more = password === undefined ? [] : ["--requirepass", password];
  return await started("redis-server", [...args, ...more], directory, port, "Ready to accept connections");
}

/** PostgreSQL where `postgres` is let in and everybody else needs a password; with `tls` also over TLS. */
export async function startPostgres({ tls = false } = {}): Promise<Database> {
  const port = freePort();
  const directory = await Deno.makeTempDir();
  const data = `${directory}/data`;
  if (Deno.uid() === 0) await Deno.chown(directory, NOBODY, NOBODY);
  await run("initdb", [
    "-D",
    data,
    "-U",
    "postgres",
    "-A",
    "trust",
    "--no-sync",
    "--no-instructions",
    "--locale=C",
  ], "");
  await Deno.writeTextFile(
    `${data}/pg_hba.conf`,
    "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n",
  );
  const args = ["-D", data, "-p", String(port), "-h", "127.0.0.1", "-k", directory, "-c", "fsync=off"];
  if (tls) args.push(...await postgresTls(data));
  return await started("postgres", args, directory, port, "ready to accept connections");
}

async function postgresTls(data: string): Promise<string[]> {
  for (const [name, text] of [["server.crt", CERTIFICATE], ["server.key", KEY]] as const) {
    // It takes no key that others may read.
    await Deno.writeTextFile(`${data}/${name}`, text, { mode: 0o600 });
    if (Deno.uid() === 0) await Deno.chown(`${data}/${name}`, NOBODY, NOBODY);
  }
  return ["-c", "ssl=on"];
}

/** MariaDB with a user `check` without a password; it blocks hosts after three broken connections. */
export async function startMariadb(): Promise<Database> {
  const port = freePort();
  const directory = await Deno.makeTempDir();
  const data = `${directory}/data`;
  await Deno.mkdir(data);
  const common = ["--no-defaults", `--datadir=${data}`, "--user=root", "--innodb-log-file-size=4M"];
  const tables = await Deno.readTextFile("/usr/share/mysql/mysql_system_tables.sql");
  const head = "create database mysql;\nuse mysql;\nset @auth_root_socket=NULL;\n";
  await run("mariadbd", [...common, "--bootstrap"], head + tables);
  await Deno.writeTextFile(`${directory}/users.sql`, "flush privileges;\ncreate user 'check'@'%';\n");
  const args = [
    ...common,
    `--port=${port}`,
    "--bind-address=0.0.0.0",
    `--socket=${directory}/socket`,
    `--pid-file=${directory}/pid`,
    `--init-file=${directory}/users.sql`,
    "--max-connect-errors=3",
  ];
  return await started("mariadbd", args, directory, port, "ready for connections");
}

function command(program: string, args: readonly string[], options: Deno.CommandOptions): Deno.Command {
  const tool = requireTool(program);
  if ("skip" in tool) throw new Error(tool.skip);
  const drops = Deno.uid() === 0 && ["postgres", "initdb"].includes(program);
  return new Deno.Command(tool.path, {
    ...options,
    args: [...args],
    ...(drops ? { uid: NOBODY, gid: NOBODY } : {}),
  });
}

async function run(program: string, args: readonly string[], input: string): Promise<void> {
  const child = command(program, args, { stdin: "piped", stdout: "null", stderr: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  // A program that reads nothing may have ended before.
  await writer.write(new TextEncoder().encode(input)).then(() => writer.close()).catch(() => {});
  const { success, stderr } = await child.output();
  if (!success) throw new Error(`${program} failed: ${new TextDecoder().decode(stderr)}`);
}

/** Starts a server and waits until its log says that it is ready. */
async function started(
  program: string,
  args: readonly string[],
  directory: string,
  port: number,
  ready: string,
): Promise<Database> {
  const child = command(program, args, { stdin: "null", stdout: "piped", stderr: "piped" }).spawn();
  let text = "";
  const isReady = Promise.withResolvers<void>();
  const reading = [child.stdout, child.stderr].map(async (stream) => {
    for await (const part of stream.pipeThrough(new TextDecoderStream())) {
      text += part;
      if (text.includes(ready)) isReady.resolve();
    }
  });
  const timer = setTimeout(() => isReady.reject(new Error(`${program} does not start: ${text}`)), START_MS);
  child.status.then(() => isReady.reject(new Error(`${program} ended: ${text}`)));
  const stop = async () => {
    clearTimeout(timer);
    try {
      child.kill("SIGTERM");
    } catch {
      // It has ended by itself.
    }
    await Promise.all([child.status, ...reading]);
    await Deno.remove(directory, { recursive: true });
  };
  try {
    await isReady.promise;
  } catch (error) {
    await stop();
    throw error;
  }
  clearTimeout(timer);
  isReady.promise.catch(() => {});
  return { port, log: () => text, [Symbol.asyncDispose]: stop };
}
