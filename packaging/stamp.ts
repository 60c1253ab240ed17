/** The version that a build is stamped with: that of `deno.json`, and the commit it was made from. Pure. */

/** What `git` says of the working tree; null: there is none. */
export interface Commit {
  /** Short hash. */
  readonly hash: string;
  /** Of the commit, `YYYYMMDD` in UTC: the same commit gives the same stamp. */
  readonly date: string;
  /** Files differ from the commit. */
  readonly changed: boolean;
  /** The commit is tagged as this release. */
  readonly released: boolean;
}

/** `0.1.0` for a release, else `0.1.0+20260131.1a2b3c4`, with `.changed` where files differ from the commit. */
export function buildVersion(version: string, commit: Commit | null): string {
  if (commit === null || (commit.released && !commit.changed)) return version;
  return `${version}+${commit.date}.${commit.hash}${commit.changed ? ".changed" : ""}`;
}
