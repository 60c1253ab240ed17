/** What to say when a connection cannot be accepted. It is nobody's mistake in here, so it has no stack. Pure. */

/** `EMFILE` is this process's limit of open files, `ENFILE` the system's. */
const EMFILE = /\(os error 24\)/;
const ENFILE = /\(os error 23\)/;

export function acceptProblem(listener: string, error: Error): string {
  const what = `Cannot accept connections for the listener \`${listener}\``;
  if (EMFILE.test(error.message)) {
    return `${what} as this process has too many open files: raise its limit (LimitNOFILE in systemd, ulimit -n)`;
  }
  if (ENFILE.test(error.message)) return `${what} as the system has too many open files: raise fs.file-max`;
  return `${what}: ${error.message}`;
}
