/**
 * The schema of TLS towards servers: of a pool, and of a check that differs. Pure; what is in the files that it
 * names is looked at by `tls_files.ts`.
 */
import { z } from "zod";
import { isHostName } from "../base/address.ts";
import { choice, flag, line, oneOrMore } from "./fields.ts";

/** `PATH_MAX` of Linux, with its final zero. */
const MAX_PATH = 4095;
/** RFC 7301 section 3.1: a protocol has 1 to 255 bytes. */
const MAX_PROTOCOL = 255;

/** The name that a server's certificate is for. */
export function certificateName() {
  return line(1, 253).refine(isHostName, "must be a host name, as certificates have it")
    .transform((name) => name.toLowerCase());
}

const version = z.preprocess(
  (value) => typeof value === "number" ? value.toFixed(1) : value,
  choice("1.2", "1.3"),
).meta({ type: ["string", "number"], enum: ["1.2", "1.3", 1.2, 1.3] });

const settings = z.strictObject({
  verify: flag().prefault(true).describe(
    "Whether a server must prove by its certificate that it is the one that is meant.",
  ),
  serverName: certificateName().optional().describe(
    "Name that is asked for (SNI) and that the certificate must be for. Without: the server's host name, else its address.",
  ),
  ca: oneOrMore(line(1, MAX_PATH)).optional().describe(
    "Files (PEM) with the only authorities that are trusted. Without: the well-known ones, Mozilla's and the system's.",
  ),
  clientCertificate: z.strictObject({
    cert: line(1, MAX_PATH).describe("File (PEM) with the certificate and what leads to its authority."),
    key: line(1, MAX_PATH).describe("File (PEM) with its private key."),
  }).optional().describe("What Tandem shows a server that asks who it is."),
  alpn: oneOrMore(line(1, MAX_PROTOCOL)).optional().describe(
    "Protocols that are offered (ALPN), such as `http/1.1`. Without: none.",
  ),
  minVersion: version.prefault("1.2").describe("Oldest version of TLS: `1.2` or `1.3`."),
});

export const ServerTlsSchema = z.union([flag(), settings])
  .transform((value) => value === true ? settings.parse({}) : value === false ? null : value);

export type ServerTlsConfig = NonNullable<z.output<typeof ServerTlsSchema>>;
