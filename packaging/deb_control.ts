/** What a Debian package says of itself. Pure. */

export interface DebFacts {
  readonly version: string;
  readonly architecture: string;
  /** Of all files. */
  readonly bytes: number;
}

/** A build between two releases is older than the release that it leads to: `~` sorts before everything. */
export function debVersion(version: string): string {
  return version.replace("+", "~");
}

/** DEBIAN/control. glibc as the runtime wants it; OpenSSL for TLS; systemd makes the user and the directories. */
export function controlFile({ version, architecture, bytes }: DebFacts): string {
  return `Package: tandem
Version: ${version}
Architecture: ${architecture}
Maintainer: The Tandem authors
Installed-Size: ${Math.ceil(bytes / 1024)}
Depends: libc6 (>= 2.27), systemd | systemd-standalone-sysusers, systemd | systemd-standalone-tmpfiles
Recommends: libssl3 | libssl3t64
Suggests: nftables
Section: net
Priority: optional
Description: edge load balancer with its own high availability
 Tandem balances HTTP and TCP over pools of servers, and two nodes elect who
 holds the address that clients use. One configuration serves both.
 .
 The service is not started before it is configured: see
 /usr/share/doc/tandem/docs/install.md.
`;
}
