/** By what a file is known to be another than before, without reading it. */

/**
 * Time, size and inode: a file that is put in place by renaming may have an old time. Empty: there is none, or it cannot
 * be seen.
 */
export async function fileStamp(file: string): Promise<string> {
  try {
    const { mtime, size, ino } = await Deno.stat(file);
    return `${mtime?.getTime()} ${size} ${ino}`;
  } catch {
    return "";
  }
}
