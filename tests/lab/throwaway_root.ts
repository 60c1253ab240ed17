/**
 * A root directory to install packages in: this machine's own files under an overlay in memory, in namespaces of its
 * own, so that whatever is written, added or removed there is gone with it.
 *
 * It can be booted: then systemd is the first process there, with a control group of its own, and starts nothing but
 * itself and its journal until it is told to. What it could change of this machine's kernel is read-only.
 */

/** `$1` is where the root is made, `$2` what is seen as /mnt. */
const SETUP = `set -e
mount -t tmpfs -o mode=755 tmpfs "$1"
mkdir "$1/changes" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/changes,workdir=$1/work" "$1/root"
cd "$1/root"
mount -t proc proc proc
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/shm dev/pts
for name in null zero full random urandom tty; do touch dev/$name; mount --bind /dev/$name dev/$name; done
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mount --bind "$2" mnt
ip link set lo up
`;
const WAIT = `${SETUP}
echo ready
exec sleep infinity`;
/** The targets that a service waits for are empty here, and so is what is booted. */
const BOOT = `${SETUP}
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
for name in sysinit basic only; do
  printf '[Unit]\\nDescription=%s\\nAllowIsolate=yes\\n' $name > etc/systemd/system/$name.target
done
echo ready
exec chroot . env -i container=lab PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --unit=only.target \
  --log-target=null --show-status=no`;

const NAMESPACES = ["mount", "net", "pid", "cgroup", "uts", "ipc"];
let roots = 0;

export interface Ended {
  readonly code: number;
  /** Both outputs. */
  readonly text: string;
}

export class ThrowawayRoot implements AsyncDisposable {
  private constructor(
    readonly child: Deno.ChildProcess,
    readonly directory: string,
    readonly group: string | null,
  ) {}

  /** `shared` is a directory of this machine that is seen as /mnt. Nothing runs there. */
  static async make(shared: string): Promise<ThrowawayRoot> {
    return await ThrowawayRoot.#start(shared, WAIT, null);
  }

  /** The same, with systemd as the first process: see `unbootable`. */
  static async boot(shared: string): Promise<ThrowawayRoot> {
    const group = `${controlGroups()}/tandem-${Deno.pid}-${++roots}`;
    await Deno.mkdir(group);
    const root = await ThrowawayRoot.#start(shared, BOOT, group);
    // Its bus is there as soon as it takes requests.
    while ((await root.run("systemctl", "is-system-running")).text.trim() !== "running") {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return root;
  }

  static async #start(shared: string, setup: string, group: string | null): Promise<ThrowawayRoot> {
    const directory = await Deno.makeTempDir({ prefix: "tandem-root-" });
    const namespaces = NAMESPACES.map((name) => `--${name}`);
    const unshare = ["unshare", ...namespaces, "--fork", "--kill-child", "--propagation", "private"];
    const join = group === null ? "" : `echo $$ > ${group}/cgroup.procs; `;
    const child = new Deno.Command("sh", {
      args: ["-c", `${join}exec "$@"`, "sh", ...unshare, "sh", "-c", setup, "sh", directory, shared],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const root = new ThrowawayRoot(child, directory, group);
    const reader = child.stdout.getReader();
    const { value } = await reader.read();
    await reader.cancel();
    if (value !== undefined) return root;
    await root[Symbol.asyncDispose]();
    throw new Error("Cannot make a root of overlays");
  }

  /** Runs a program in it to its end. */
  async run(command: string, ...args: string[]): Promise<Ended> {
    // The child of `unshare` is the first process of its namespaces.
    const [pid] = (await Deno.readTextFile(`/proc/${this.child.pid}/task/${this.child.pid}/children`)).split(
      " ",
    );
    const enter = [`--target=${pid}`, ...NAMESPACES.map((name) => `--${name}`)];
    const { code, stdout, stderr } = await new Deno.Command("nsenter", {
      args: [...enter, "chroot", `${this.directory}/root`, command, ...args],
      env: { DEBIAN_FRONTEND: "noninteractive", NO_COLOR: "1", LC_ALL: "C.UTF-8" },
      stdin: "null",
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, text: text(stdout) + text(stderr) };
  }

  /** As `run`, and throws with what was said when it failed. */
  async must(command: string, ...args: string[]): Promise<string> {
    const { code, text } = await this.run(command, ...args);
    if (code !== 0) throw new Error(`${command} ${args.join(" ")} failed (${code}): ${text}`);
    return text;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill("SIGKILL");
    await this.child.status;
    await Deno.remove(this.directory, { recursive: true });
    if (this.group !== null) await removeGroup(this.group);
  }
}

/** Why systemd cannot be booted here; null when it can. */
export function unbootable(): string | null {
  const probe = `${controlGroups() ?? "/none"}/tandem-${Deno.pid}-probe`;
  try {
    Deno.mkdirSync(probe);
    Deno.removeSync(probe);
    return null;
  } catch {
    return "needs a control group (version 2) to boot systemd in";
  }
}

/** Where control groups of version 2 are. */
function controlGroups(): string | null {
  const mounts = Deno.readTextFileSync("/proc/self/mounts").split("\n").map((line) => line.split(" "));
  return mounts.find(([, , kind]) => kind === "cgroup2")?.[1] ?? null;
}

/** From the innermost on; a group whose last process is going is busy for a moment. */
async function removeGroup(path: string): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(path)) {
    if (isDirectory) await removeGroup(`${path}/${name}`);
  }
  for (let attempt = 0; attempt < 100; attempt++) {
    try {
      return await Deno.remove(path);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
