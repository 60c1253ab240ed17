/**
 * A root directory to install packages in: this machine's own files under an overlay in memory, in namespaces of its
 * own, so that whatever is written, added or removed there is gone with it. No service manager runs in it.
 */

const SETUP = `set -e
mount -t tmpfs -o mode=755 tmpfs "$1"
mkdir "$1/changes" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/changes,workdir=$1/work" "$1/root"
mount -t proc proc "$1/root/proc"
mount -t tmpfs tmpfs "$1/root/run"
mount -t tmpfs -o mode=1777 tmpfs "$1/root/tmp"
mount --bind /dev "$1/root/dev"
mount --bind "$2" "$1/root/mnt"
echo ready
exec sleep infinity`;

export interface Ended {
  readonly code: number;
  /** Both outputs. */
  readonly text: string;
}

export class ThrowawayRoot implements AsyncDisposable {
  private constructor(readonly child: Deno.ChildProcess, readonly directory: string) {}

  /** `shared` is a directory of this machine that is seen as /mnt. */
  static async make(shared: string): Promise<ThrowawayRoot> {
    const directory = await Deno.makeTempDir({ prefix: "tandem-root-" });
    const namespaces = ["--mount", "--net", "--pid", "--fork", "--kill-child", "--propagation", "private"];
    const child = new Deno.Command("unshare", {
      args: [...namespaces, "sh", "-c", SETUP, "sh", directory, shared],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const root = new ThrowawayRoot(child, directory);
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
    const enter = [`--target=${pid}`, "--mount", "--net", "--pid", `chroot`, `${this.directory}/root`];
    const { code, stdout, stderr } = await new Deno.Command("nsenter", {
      args: [...enter, command, ...args],
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
  }
}
