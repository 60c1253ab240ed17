/**
 * The node's standard output, for processes whose own is a link to their keeper: they inherit it as another descriptor,
 * whose number they find in their environment.
 */
import { openFileLibc } from "../base/libc_io.ts";
import { DescriptorWriter } from "../observe/descriptor_io.ts";

const NAME = "TANDEM_STDOUT";
const F_DUPFD = 0;
const F_DUPFD_CLOEXEC = 1030;
const LEAST = 3;

export class OwnStdout {
  #fd: number;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** Of this process: what its keeper has lent, or, where there is none, its standard output. Call it once. */
  static take(): OwnStdout {
    const lent = Number(Deno.env.get(NAME) ?? NaN);
    Deno.env.delete(NAME);
    if (!Number.isInteger(lent)) return new OwnStdout(1);
    // From here on no child inherits it but on purpose.
    const fd = withFiles((libc) => {
      const own = libc.fcntl(lent, F_DUPFD_CLOEXEC, LEAST);
      libc.close(lent);
      return own;
    });
    return new OwnStdout(fd ?? -1);
  }

  /** Starts a process that has it too, as far as that is possible. */
  lend<T>(start: (env: Record<string, string>) => T): T {
    const fd = withFiles((libc) => libc.fcntl(this.#fd, F_DUPFD, LEAST)) ?? -1;
    if (fd < 0) return start({});
    try {
      return start({ [NAME]: String(fd) });
    } finally {
      withFiles((libc) => libc.close(fd));
    }
  }

  /** Writes to what was lent; null: nothing was. */
  writer(): DescriptorWriter | null {
    return this.#fd < LEAST ? null : new DescriptorWriter(this.#fd);
  }
}

/** Null without the permission to call libc. */
function withFiles<T>(use: (libc: ReturnType<typeof openFileLibc>["libc"]) => T): T | null {
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") return null;
  const { libc, close } = openFileLibc();
  try {
    return use(libc);
  } finally {
    close();
  }
}
