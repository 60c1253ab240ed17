/**
 * Which user the programs of the configuration run as. Pure.
 *
 * Only root can give its rights away. Without a setting it gives them away to `tandem_script`, when there is such a
 * user: a machine is made safer by adding a user, and nothing that ran before stops running.
 */
import { type Account, type Accounts, findAccount } from "../base/accounts.ts";

export const DEFAULT_SCRIPT_USER = "tandem_script";

export interface ScriptUser {
  /** Null: as this process. */
  readonly account: Account | null;
  /** What an operator should know before any program runs; empty: nothing. */
  readonly warning: string;
}

/** `wanted`: the setting, whose user exists; `uid`: of this process. */
export function scriptUser(wanted: string | undefined, uid: number, accounts: Accounts): ScriptUser {
  const found = findAccount(wanted ?? DEFAULT_SCRIPT_USER, accounts);
  const account = "unknown" in found ? null : found;
  if (uid !== 0) {
    const other = wanted !== undefined && account?.uid !== uid;
    const warning = `vrrp.scriptUser has no effect, as this is not root: programs run as uid ${uid}`;
    return { account: null, warning: other ? warning : "" };
  }
  if (wanted === undefined && account === null) {
    const cure = `add a user ${DEFAULT_SCRIPT_USER}, or say vrrp.scriptUser: root`;
    return { account: null, warning: `programs of the configuration run as root: ${cure}` };
  }
  // Root itself keeps what it has.
  return { account: account?.uid === 0 && account.gid === 0 ? null : account, warning: "" };
}
