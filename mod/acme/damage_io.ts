/** Whether a stored file is what it should be: an account or a certificate that is not must not go in silence. */
import { X509Certificate } from "node:crypto";
import { Key } from "./keys_io.ts";
import { ACCOUNT_FILE, accountIn, recordIn } from "./record.ts";

/** Why a stored file is of no use, or null. An empty one was forgotten on purpose. */
export function damageOf(file: string, text: string): string | null {
  if (text === "") return null;
  if (file === ACCOUNT_FILE) {
    const account = accountIn(text);
    if (account === null) return "it is no account";
    return Key.tryRead(account.key) === null ? "the account's key cannot be read" : null;
  }
  if (file.endsWith(".json")) return recordIn(text) === null ? "it is no record of a name" : null;
  try {
    new X509Certificate(text);
    return null;
  } catch {
    return "it has no certificate that can be read";
  }
}
