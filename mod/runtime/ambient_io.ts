/**
 * Keeps the keeper's network capabilities from the balancer: a child inherits the ambient set, so CAP_NET_ADMIN
 * and CAP_NET_RAW are lowered from it around one spawn and raised again.
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
const KEPT_BACK = [12n, 13n];

/** Runs `spawn` with both capabilities out of the ambient set. Throws when they are there and cannot be lowered. */
export function withoutNetworkCapabilities<T>(spawn: () => T): T {
  return withLibc((libc) => {
    const call = (operation: bigint, capability: bigint) =>
      libc.prctl(PR_CAP_AMBIENT, operation, capability, 0n, 0n);
    const held = KEPT_BACK.filter((capability) => call(IS_SET, capability) === 1);
    try {
      for (const capability of held) {
        if (call(LOWER, capability) !== 0) {
          throw new Error("Cannot lower the balancer's ambient capabilities");
        }
      }
      return spawn();
    } finally {
      for (const capability of held) call(RAISE, capability);
    }
  });
}
