/**
 * What can be had of which version of OpenSSL. Pure.
 */

/** The first of each branch in which `SSL_free_buffers` is safe: before, it frees what a record begun still needs (CVE-2024-4741). */
const SAFE_PATCH: readonly (readonly [minor: number, patch: number])[] = [[0, 14], [1, 6], [2, 2], [3, 1]];

/** Whether buffers may be freed by `SSL_free_buffers`; `version` as `OPENSSL_VERSION_NUMBER` of OpenSSL 3: 0xMNN00PP0. */
export function maySafelyFreeBuffers(version: number): boolean {
  const minor = version >>> 20 & 0xff;
  const patch = version >>> 4 & 0xff;
  const first = SAFE_PATCH.find(([branch]) => branch === minor);
  return version >>> 28 > 3 || first === undefined || patch >= first[1];
}
