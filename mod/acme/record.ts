/**
 * What is remembered beside certificates, as text in files: the account, and how it goes with each name. Pure.
 *
 * A file that cannot be read is one that is not there: the worst of it is an account or a certificate more.
 */
import { z } from "zod";

const time = z.number().int().min(0);

const NameRecord = z.strictObject({
  /** The authority that the certificate is of; where there is none yet, the one that was asked. */
  directory: z.string(),
  /** The authority that the attempts below were made with, where that is another. */
  tried: z.string().optional(),
  /** When it is to be renewed; null: there is none yet. */
  renewAt: time.nullable(),
  /** In a row. */
  failures: time,
  /** No new attempt before. */
  nextAt: time,
  /** Why the last attempt failed; empty: it did not. */
  lastError: z.string().max(400),
  /** When the authority is to be asked whether it wants the certificate renewed. */
  askAt: time,
});

/** How it goes with one name. */
export type NameRecord = z.output<typeof NameRecord>;

export const NEW_RECORD: NameRecord = {
  directory: "",
  renewAt: null,
  failures: 0,
  nextAt: 0,
  lastError: "",
  askAt: 0,
};

const Account = z.strictObject({
  directory: z.string(),
  /** The account's address. */
  url: z.string(),
  /** As the authority was told. */
  email: z.string().nullable(),
  /** PEM. A secret. */
  key: z.string(),
});

export type Account = z.output<typeof Account>;

export function readRecord(text: string | null): NameRecord {
  return recordIn(text) ?? NEW_RECORD;
}

/** Null: it is none. */
export function recordIn(text: string | null): NameRecord | null {
  return parsed(NameRecord, text);
}

/** The attempts with one authority that failed; none where the last ones were made with another. */
export function failuresWith(
  record: NameRecord,
  directory: string,
): Pick<NameRecord, "failures" | "nextAt" | "lastError"> {
  return (record.tried ?? record.directory) === directory ? record : NEW_RECORD;
}

/**
 * When the next attempt for a name is due, in milliseconds since 1970; 0: at once. `until`: when its certificate
 * expires; null: there is none.
 */
export function dueAt(record: NameRecord, until: number | null, directory: string): number {
  const wanted = record.directory === directory && until !== null ? record.renewAt ?? 0 : 0;
  const { failures, nextAt } = failuresWith(record, directory);
  return Math.max(wanted, failures > 0 ? nextAt : 0);
}

/** Null: there is none with this authority. */
export function readAccount(text: string | null, directory: string): Account | null {
  const account = accountIn(text);
  return account?.directory === directory ? account : null;
}

/** Null: it is none. */
export function accountIn(text: string | null): Account | null {
  return parsed(Account, text);
}

/** The names of the files, in the directory of the state. */
export const ACCOUNT_FILE = "_account.json";
export const certificateFile = (name: string) => `${name}.pem`;
export const recordFile = (name: string) => `${name}.json`;
/** What may be stored at all. */
export const STORED_NAME = /^[a-z0-9_][a-z0-9._-]{0,220}\.(pem|json)$/;
/** Longest text of one file: it goes as one line from process to process. */
export const MAX_STORED_CHARS = 32 * 1024;

function parsed<T>(schema: z.ZodType<T>, text: string | null): T | null {
  if (text === null) return null;
  try {
    return schema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
