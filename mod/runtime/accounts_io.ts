/** Reads the users and groups of this machine. A file that cannot be read has none. */
import { type Accounts, parseAccounts } from "../base/accounts.ts";

export function readAccounts(): Accounts {
  return parseAccounts(textOf("/etc/passwd"), textOf("/etc/group"));
}

function textOf(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}
