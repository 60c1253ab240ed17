/** A configuration of conntrackd by which a pair tells each other of its connections. Pure. */

export interface ConntrackdFacts {
  readonly device: string;
  /** Addresses of the two nodes on it; null: not known here. */
  readonly own: string | null;
  readonly peer: string | null;
}

/** The same as in docs/lvs.md, which the lab runs. */
export function conntrackdConfig({ device, own, peer }: ConntrackdFacts): string {
  const family = [own, peer].some((address) => address?.includes(":")) ? "IPv6" : "IPv4";
  const here = own ?? "ADDRESS-OF-THIS-NODE", there = peer ?? "ADDRESS-OF-THE-OTHER-NODE";
  return `Sync {
  Mode FTFW {
    DisableExternalCache yes
  }
  UDP {
    ${family}_address ${here}
    ${family}_Destination_Address ${there}
    Port 3780
    Interface ${device}
  }
}
General {
  HashSize 32768
  HashLimit 131072
  LockFile /var/lock/conntrack.lock
  UNIX {
    Path /var/run/conntrackd.ctl
  }
  NetlinkBufferSize 2097152
  NetlinkBufferSizeMaxGrowth 8388608
}
`;
}
