/**
 * The seam to the file system: what the store asks of it. `disk_io.ts` implements it, the simulator fakes it.
 *
 * Everything answers at once (blocking, as nginx does it): a look costs microseconds, while the runtime's waiting
 * kind goes through a pool of threads and costs tens of them. Failures are values.
 */

/** `missing`: nothing is there; `denied`: this process may not; `failed`: the disk or the process cannot now. */
export type Failure = "missing" | "denied" | "failed";

export interface FileStatus {
  /** `special`: a device, a pipe, a socket. */
  readonly kind: "file" | "directory" | "special";
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly modified: number;
  /** Names the file itself, whatever its path. */
  readonly identity: string;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly directory: boolean;
}

/** A file that is read. */
export interface OpenFile {
  /** What the kernel knows it by. */
  readonly fd: number;
  status(): FileStatus | Failure;
  /** Reads into `into` from byte `at` of the file; the number of bytes read, 0 at its end. */
  read(into: Uint8Array, at: number): number | Failure;
  close(): void;
}

export interface FileSystem {
  /** The path without symbolic links; absolute. */
  realPath(path: string): { readonly path: string } | Failure;
  /** Follows symbolic links. */
  status(path: string): FileStatus | Failure;
  /** Does not follow one at the end of the path, which is `special` itself. */
  ownStatus(path: string): FileStatus | Failure;
  /** Opens for reading; never waits for the other side of a pipe. */
  open(path: string): OpenFile | Failure;
  list(path: string): readonly DirectoryEntry[] | Failure;
}
