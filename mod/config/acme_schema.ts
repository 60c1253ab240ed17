/**
 * The schema of what an authority needs to know to issue certificates by itself (ACME, RFC 8555). Pure.
 */
import { z } from "zod";
import { absolutePath, choice, flag, line } from "./fields.ts";

const LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory";
const BASE64 = /^[A-Za-z0-9_+/-]+=*$/;

export const AcmeSchema = z.strictObject({
  agreeTerms: flag().describe("You agree to the authority's terms of service; nothing is issued without."),
  email: line(3, 254).regex(/^[^@\s,]+@[^@\s,]+$/, "must be an address such as ops@example.com").optional()
    .describe("Where the authority writes to. Without: nowhere."),
  directory: line(1, 2048).refine(
    (text) => URL.canParse(text) && new URL(text).protocol === "https:",
    "must be an address that begins with https://",
  ).prefault(LETS_ENCRYPT).describe("The authority: address of its ACME directory."),
  ca: line(1).optional().describe(
    "File with the authorities (PEM) that sign the directory's own certificate, beside the well-known ones.",
  ),
  challenge: choice("http", "tlsAlpn").prefault("http").describe(
    "How the authority sees that a name is yours: it asks port 80 (`http`: HTTP-01), or port 443 " +
      "(`tlsAlpn`: TLS-ALPN-01).",
  ),
  externalAccount: z.strictObject({
    id: line(1, 1024).describe("What the authority calls the account."),
    secret: line(1, 4096).regex(BASE64, "must be the key in base64, as the authority gave it")
      .meta({ kind: "secret" }).describe("Its key, in base64."),
  }).optional().describe("An account that you have with the authority, where it asks for one."),
  state: absolutePath().optional().describe(
    "Directory for accounts, keys and certificates, as an absolute path; below it each node has its own. Without: " +
      "`/var/lib/tandem`, or a directory of the user's.",
  ),
});

export type AcmeConfig = z.output<typeof AcmeSchema>;
