/**
 * The schema of what a listener says about TLS. Pure: the files that it names are read elsewhere.
 */
import { z } from "zod";
import { acrossIssue, choice, flag, line } from "./fields.ts";

/** Largest of RFC 7301's protocol names. */
const MAX_ALPN = 255;

const certificate = z.strictObject({
  cert: line(1).describe("File with the certificate and its chain (PEM), the server's own first."),
  key: line(1).describe("File with its private key (PEM)."),
});

const acmeName = line(1, 255).transform((text) => text.toLowerCase());

const clientAuth = z.strictObject({
  mode: choice("optional", "required").prefault("required").describe(
    "`required`: clients without a certificate are refused; `optional`: only those with a bad one.",
  ),
  ca: line(1).describe("File with the authorities (PEM) that sign clients' certificates."),
});

export const TlsSchema = z.strictObject({
  certificates: z.array(certificate).min(1, "must have at least one certificate").optional().describe(
    "Chosen by the name the client asks for (SNI), exact names before wildcards; the first is for all others.",
  ),
  acme: z.union([flag(), z.array(acmeName).min(1, "must have at least one name")]).optional().describe(
    "Have certificates by ACME: for the exact hosts of the routes (`true`), or for the names listed. Without: no.",
  ),
  minVersion: z.preprocess(
    (value) => typeof value === "number" ? String(value) : value,
    choice("1.2", "1.3"),
  ).prefault("1.2").describe("Least version of TLS."),
  alpn: z.array(line(1, MAX_ALPN)).optional().describe(
    "Protocols offered by ALPN, the most wanted first. Without: `h2` and `http/1.1` (http), none (tcp).",
  ),
  strictSni: flag().prefault(false).describe("Refuse clients that ask for a name that no certificate has."),
  clientAuth: clientAuth.optional().describe("Ask clients for certificates. Without: no."),
}).transform(({ certificates = [], acme = false, ...rest }, context) => {
  if (certificates.length > 0 || acme !== false) return { certificates, acme, ...rest };
  context.addIssue(acrossIssue("must have certificates, or acme"));
  return z.NEVER;
});

export type TlsConfig = z.output<typeof TlsSchema>;

/** A time in whole seconds; days too, which a duration, being for timers, does not have. */
function age() {
  const hint = "must be a time with a unit, such as 365d or 12h";
  return z.string({ error: () => hint }).regex(AGE, hint)
    .transform((text) => Number(text.slice(0, -1)) * SECONDS[text.at(-1) as keyof typeof SECONDS])
    .meta({ kind: "age", pattern: AGE.source });
}

const AGE = /^[0-9]{1,6}[dhms]$/;
const SECONDS = { d: 86_400, h: 3600, m: 60, s: 1 };

const hstsParts = z.strictObject({
  maxAge: age().prefault("365d").describe("How long browsers remember it."),
  includeSubDomains: flag().prefault(false).describe("For every name below this one too."),
  preload: flag().prefault(false).describe("May stand in the lists that browsers come with."),
});

/** A time, or a map for more. */
export const HstsSchema = z.union([
  age().transform((maxAge) => ({ maxAge, includeSubDomains: false, preload: false })),
  hstsParts,
]);

export type HstsConfig = z.output<typeof HstsSchema>;
