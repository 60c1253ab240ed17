/**
 * Keeps the keeper's capabilities from its children: they inherit the ambient set, so that what they are not to have is
 * lowered from it around one spawn and raised again. For the balancer that is CAP_NET_ADMIN and CAP_NET_RAW, for what
 * runs code of others everything.
 *
 * Both calls and the spawn run on this thread, without anything between, so nothing else is started meanwhile.
 * Root needs no ambient set and gives its child everything: that is said in the log, not hidden.
 */
import { withLibc } from "../base/libc_io.ts";

const PR_CAP_AMBIENT = 47;
const IS_SET = 1n;
const RAISE = 2n;
const LOWER = 3n;
/** CAP_NET_ADMIN and CAP_NET_RAW. */
export const NETWORK_CAPABILITIES: readonly bigint[] = [12n, 13n];
/** Those that there are, and room for more: what the kernel does not know is not set. */
export const ALL_CAPABILITIES: readonly bigint[] = Array.from({ length: 64 }, (_, at) => BigInt(at));

/** Runs `spawn` with these capabilities out of the ambient set. Throws when one is there and cannot be lowered. */
export function withoutCapabilities<T>(keptBack: readonly bigint[], spawn: () => T): T {
  return withLibc((libc) => {
    const call = (operation: bigint, capability: bigint) =>
      libc.prctl(PR_CAP_AMBIENT, operation, capability, 0n, 0n);
    const held = keptBack.filter((capability) => call(IS_SET, capability) === 1);
    try {
      for (const capability of held) {
        if (call(LOWER, capability) !== 0) {
          throw new Error("Cannot lower the ambient capabilities of a child");
        }
      }
      return spawn();
    } finally {
      for (const capability of held) call(RAISE, capability);
    }
  });
}
