/** What a node forwards in the kernel, with everything in it, for the tests of its readers. */
import type { KernelStatus } from "../../mod/observe/kernel_status.ts";

const SERVER = { open: true, up: true, packetsIn: 9, packetsOut: 8 };

export const KERNEL: KernelStatus = {
  problem: "nft is not installed",
  fragments: 0,
  services: [{
    name: "web",
    mode: "nat",
    protocol: "tcp",
    binds: ["203.0.113.10:80"],
    pool: "app",
    policy: "roundRobin",
    servers: [
      {
        ...SERVER,
        name: "a",
        address: "10.0.0.11:8080",
        share: 2 / 3,
        connections: 12,
        bytesIn: 940,
        bytesOut: 12_800,
      },
      {
        ...SERVER,
        name: "b",
        address: "10.0.0.12:8080",
        open: false,
        up: false,
        share: 0,
        connections: 0,
        bytesIn: 0,
        bytesOut: 3 * 2 ** 30,
      },
    ],
  }],
};
