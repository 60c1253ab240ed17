/**
 * Users and groups as `/etc/passwd` and `/etc/group` have them (passwd(5), group(5)). Pure: it is handed the texts.
 *
 * Lines that are not of that form are passed over, as libc does; of a name that stands there twice the first counts.
 * It knows no directory services: who is in these files is known, nobody else.
 */

/** The rights that a program runs with. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

export interface Accounts {
  readonly users: ReadonlyMap<string, Account>;
  readonly groups: ReadonlyMap<string, number>;
}

/** The largest id that is one: the last means "unchanged" to the kernel. */
const MAX_ID = 0xfffffffe;

export function parseAccounts(passwd: string, group: string): Accounts {
  const users = new Map<string, Account>();
  for (const [name, uid, gid] of rows(passwd, [0, 2, 3])) {
    const account = { uid: id(uid), gid: id(gid) };
    if (account.uid !== null && account.gid !== null && !users.has(name)) {
      users.set(name, { uid: account.uid, gid: account.gid });
    }
  }
  const groups = new Map<string, number>();
  for (const [name, text] of rows(group, [0, 2])) {
    const gid = id(text);
    if (gid !== null && !groups.has(name)) groups.set(name, gid);
  }
  return { users, groups };
}

/** The account of `user`, or of `user:group` with that group in place of the user's own; or what is unknown of it. */
export function findAccount(
  text: string,
  { users, groups }: Accounts,
): Account | { readonly unknown: "user" | "group"; readonly name: string } {
  const [user = "", group] = text.split(":");
  const account = users.get(user);
  if (account === undefined) return { unknown: "user", name: user };
  if (group === undefined) return account;
  const gid = groups.get(group);
  return gid === undefined ? { unknown: "group", name: group } : { ...account, gid };
}

function rows(text: string, columns: readonly number[]): [name: string, ...rest: string[]][] {
  return text.split("\n").flatMap((line) => {
    const fields = line.split(":");
    const [name = "", ...rest] = columns.map((column) => fields[column] ?? "");
    // "+" and "-" begin the entries of a compatibility mode that stands for other directories.
    return name === "" || /^[+#-]/.test(name) ? [] : [[name, ...rest] as [string, ...string[]]];
  });
}

function id(text: string | undefined): number | null {
  if (text === undefined || !/^[0-9]{1,10}$/.test(text)) return null;
  const value = Number(text);
  return value <= MAX_ID ? value : null;
}
