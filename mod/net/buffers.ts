/**
 * Pooled byte buffers: small ones (idle connections, heads), large ones (bulk bodies) and huge ones (files).
 *
 * Small buffers are slices of large slabs, so that thousands of idle connections are few objects. A lease has one
 * owner, or several that only read: `share` adds one, and each releases it exactly once. Pure: no clock, no I/O.
 */

/** An idle connection's pending read pins its buffer, so this is the memory price of being idle. */
export const SMALL_BYTES = 4 * 1024;
/** One read of bulk data. HAProxy: 16 KiB, nginx: 8 × 4 KiB; larger costs fewer system calls. */
export const LARGE_BYTES = 64 * 1024;
/** One read of a file. */
export const HUGE_BYTES = 256 * 1024;
const SLAB_BYTES = 256 * 1024;
/** Free large buffers kept; more are left to the garbage collector. */
const LARGE_KEPT = 256;
const HUGE_KEPT = 32;

/** Who is told when a lease's last owner has released it. */
export interface LeaseKeeper {
  give(lease: Lease): void;
}

export class Lease {
  /** The whole buffer. Its contents are undefined until written. */
  readonly bytes: Uint8Array;
  #keeper: LeaseKeeper | null;
  #owners = 1;
  /** The last view of `first`, in whatever use. */
  #first: Uint8Array;

  constructor(bytes: Uint8Array, keeper: LeaseKeeper | null) {
    this.bytes = this.#first = bytes;
    this.#keeper = keeper;
  }

  /**
   * A view of the first `size` bytes, good while the lease is held. Requests are much alike, and then it is there already:
   * making one takes 30 ns, and leaves something to collect.
   */
  first(size: number): Uint8Array {
    if (this.#first.length !== size) this.#first = this.bytes.subarray(0, size);
    return this.#first;
  }

  /** One more owner, who will release it too. From now on nobody may write into it. */
  share(): this {
    this.#owners++;
    return this;
  }

  /** Gives the buffer back, once every owner has. Releasing too often is an error of ours and throws. */
  release(): void {
    if (--this.#owners > 0) return;
    if (this.#owners < 0) throw new Error("Cannot release a buffer as it is already free");
    this.#keeper?.give(this);
  }

  /** For the pool only. */
  reuse(): this {
    this.#owners = 1;
    return this;
  }
}

export class BufferPool implements LeaseKeeper {
  #small: Lease[] = [];
  #large: Lease[] = [];
  #huge: Lease[] = [];
  /** Leases handed out and not yet released: the leak check of the tests. */
  outstanding = 0;

  small(): Lease {
    this.outstanding++;
    const lease = this.#small.pop();
    if (lease !== undefined) return lease.reuse();
    const slab = new ArrayBuffer(SLAB_BYTES);
    for (let at = SMALL_BYTES; at < SLAB_BYTES; at += SMALL_BYTES) {
      this.#small.push(new Lease(new Uint8Array(slab, at, SMALL_BYTES), this));
    }
    return new Lease(new Uint8Array(slab, 0, SMALL_BYTES), this);
  }

  large(): Lease {
    this.outstanding++;
    return this.#large.pop()?.reuse() ?? new Lease(new Uint8Array(LARGE_BYTES), this);
  }

  huge(): Lease {
    this.outstanding++;
    return this.#huge.pop()?.reuse() ?? new Lease(new Uint8Array(HUGE_BYTES), this);
  }

  /** A lease of at least `size` bytes; sizes beyond a huge buffer are not pooled. */
  atLeast(size: number): Lease {
    if (size <= SMALL_BYTES) return this.small();
    if (size <= LARGE_BYTES) return this.large();
    if (size <= HUGE_BYTES) return this.huge();
    this.outstanding++;
    return new Lease(new Uint8Array(size), this);
  }

  /** Called by `Lease.release`. */
  give(lease: Lease): void {
    this.outstanding--;
    const size = lease.bytes.length;
    if (size === SMALL_BYTES) this.#small.push(lease);
    else if (size === LARGE_BYTES && this.#large.length < LARGE_KEPT) this.#large.push(lease);
    else if (size === HUGE_BYTES && this.#huge.length < HUGE_KEPT) this.#huge.push(lease);
  }
}
