/**
 * What an operator can have a node do, as one list of commands, and what comes of one: the API, the command line and the
 * link between the processes all speak it. Pure.
 */
import { z } from "zod";
import { acmeNameProblem } from "../config/acme_names.ts";
import {
  ADDED_SERVER,
  ADMIN_STATES,
  LOG_LEVELS,
  poolName,
  serverName,
  weightSchema,
} from "../config/live.ts";

const hostName = z.string().max(255).toLowerCase().refine((name) => acmeNameProblem(name) === null, {
  error: ({ input }) => `${input} ${acmeNameProblem(String(input))}`,
});
const server = { pool: poolName, server: serverName };

/** Which stored answers, as in `mod/cache/store.ts`. */
export const PURGE = {
  host: z.string().min(1).max(255).toLowerCase().optional(),
  path: z.string().max(4096).startsWith("/").optional(),
};

/** The one whose key is so, as it is listed, or of the client with this address, header, cookie or whatever it is. */
export const WHICH_SESSION = {
  key: z.string().regex(/^[0-9a-f]{32}$/, "must be a key as it is listed: 32 digits in hex").optional(),
  value: z.string().min(1).max(1000).optional(),
};

/** Those on a server, or a single one. */
export const WHICH_SESSIONS = { server: serverName.optional(), ...WHICH_SESSION };

export type WhichSession = { readonly key?: string | undefined; readonly value?: string | undefined };
export type WhichSessions = WhichSession & { readonly server?: string | undefined };
/** A session, and the server it is to be on. */
export type PlacedSession = WhichSession & { readonly server: string };

export const PLACED_SESSION = { pool: poolName, server: serverName, ...WHICH_SESSION };

export const COMMAND = z.discriminatedUnion("do", [
  /** Sets one or both. */
  z.strictObject({
    do: z.literal("setServer"),
    ...server,
    state: z.enum(ADMIN_STATES).optional(),
    weight: weightSchema.optional(),
  }),
  z.strictObject({
    do: z.literal("addServer"),
    ...server,
    settings: ADDED_SERVER,
    state: z.enum(ADMIN_STATES).optional(),
    weight: weightSchema.optional(),
  }),
  z.strictObject({ do: z.literal("removeServer"), ...server }),
  /** Forgets what was changed live: of a server, of a pool, or all. */
  z.strictObject({ do: z.literal("reset"), pool: poolName.optional(), server: serverName.optional() }),
  z.strictObject({ do: z.literal("setLogLevel"), level: z.enum(LOG_LEVELS) }),
  z.strictObject({ do: z.literal("reload") }),
  z.strictObject({ do: z.literal("moveAddresses"), instance: z.string().min(1).max(100) }),
  z.strictObject({ do: z.literal("setMaintenance"), on: z.boolean() }),
  /** Forgets stored answers: of a host, of a path, or all. */
  z.strictObject({ do: z.literal("purgeCache"), ...PURGE }),
  /** Forgets the sessions of a pool's table: all, those on one server, or one. */
  z.strictObject({ do: z.literal("forgetSessions"), pool: poolName, ...WHICH_SESSIONS }),
  /** Puts a session of a pool's table on a server. */
  z.strictObject({ do: z.literal("setSession"), ...PLACED_SESSION }),
  /** Asks the authority for another certificate, whether it is time or not. */
  z.strictObject({ do: z.literal("renewCertificate"), name: hostName }),
  /** Throws a certificate by ACME away with its key, on every node that shares it. */
  z.strictObject({ do: z.literal("forgetCertificate"), name: hostName }),
]);

export type Command = z.infer<typeof COMMAND>;

/** What comes of a command. */
export const OUTCOME = z.union([
  z.strictObject({
    ok: z.literal(true),
    /** What has become worse by it, in words. */
    warnings: z.array(z.string()),
    /** How many things it was done to, where that is counted. */
    count: z.number().optional(),
  }),
  z.strictObject({
    ok: z.literal(false),
    /** As in HTTP. */
    status: z.union([z.literal(400), z.literal(404), z.literal(409), z.literal(503)]),
    problems: z.array(z.string()).min(1),
  }),
]);

export type Outcome = z.infer<typeof OUTCOME>;

/** Why something is not done, with the status of HTTP that says so. */
export interface Refusal {
  readonly status: 400 | 404 | 409 | 503;
  readonly problems: readonly string[];
}

export function done(warnings: readonly string[] = [], count?: number): Outcome {
  return { ok: true, warnings: [...warnings], ...count === undefined ? {} : { count } };
}

export function refused(status: Refusal["status"], ...problems: string[]): Outcome {
  return { ok: false, status, problems };
}

/** A command as a line of the log. */
export function describeCommand(command: Command): string {
  switch (command.do) {
    case "setServer": {
      const { pool, server, state, weight } = command;
      return `server ${pool}/${server}${state === undefined ? "" : ` ${state}`}${
        weight === undefined ? "" : ` weight ${weight}`
      }`;
    }
    case "addServer":
      return `add server ${command.pool}/${command.server} at ${command.settings.address}`;
    case "removeServer":
      return `remove server ${command.pool}/${command.server}`;
    case "reset": {
      const of = [command.pool, command.server].filter((part) => part !== undefined).join("/");
      return of === "" ? "reset all live changes" : `reset live changes of ${of}`;
    }
    case "setLogLevel":
      return `log level ${command.level}`;
    case "reload":
      return "reload";
    case "moveAddresses":
      return `vip move ${command.instance}`;
    case "setMaintenance":
      return `maintenance ${command.on ? "on" : "off"}`;
    case "renewCertificate":
      return `renew the certificate for ${command.name}`;
    case "forgetCertificate":
      return `forget the certificate for ${command.name}`;
    case "purgeCache":
      return `purge ${command.path ?? "everything"}${
        command.host === undefined ? "" : ` of ${command.host}`
      }`;
    case "forgetSessions":
      return `forget sessions of ${command.pool}${command.server === undefined ? "" : `/${command.server}`}${
        sessionText(command)
      }`;
    case "setSession":
      return `session of ${command.pool}${sessionText(command)} on ${command.server}`;
  }
}

/** What clients are told by may be a secret of theirs. */
function sessionText({ key, value }: WhichSession): string {
  return key !== undefined ? ` key ${key}` : value === undefined ? "" : " of a value";
}
