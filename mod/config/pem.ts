/** What is in a file of PEM. Pure. */

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g;

/** Its certificates, in order. */
export function certificateBlocks(pem: string): string[] {
  return pem.match(CERTIFICATE) ?? [];
}

/** The key alone: HAProxy's files hold the certificates too, and OpenSSL's a curve's parameters before it. */
export function keyBlock(pem: string): string {
  return /^-----BEGIN ([A-Z ]*)PRIVATE KEY-----[^]*?-----END \1PRIVATE KEY-----\n?/m.exec(pem)?.[0] ?? pem;
}
