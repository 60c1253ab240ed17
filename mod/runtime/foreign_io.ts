/**
 * Says who else is active with an instance's id: by address, and by the MAC under which the LAN knows that address,
 * which tells an operator on which port of which switch to look.
 *
 * The kernel often does not know the MAC of one that only sends to a group. Then it is asked to find out, and the line
 * in the log waits for it a moment; whoever asks for the status gets it as soon as it is there.
 */
import { formatIp, type IpBytes } from "../base/address.ts";
import type { ForeignStatus } from "../observe/election_status.ts";
import type { Log } from "../observe/log.ts";
import type { Action } from "../../vrrp/events.ts";
import { type Claim, ForeignActives, foreignSilentMs, formatMac } from "../../vrrp/foreign.ts";

export interface ForeignOptions {
  readonly instance: string;
  readonly log: Log;
  /** Null: not known now, and being asked for. */
  readonly macOf: (address: IpBytes) => Uint8Array | null;
  /** Between adverts of the instance, in milliseconds. */
  readonly intervalMs: () => number;
  /** None of those that were told of is heard any more. */
  readonly onSilent: () => void;
}

/** Neighbours answer within milliseconds; a busy one gets some more. */
const MAC_WAIT_MS = 500;

export class ForeignWatch {
  readonly #options: ForeignOptions;
  readonly #actives = new ForeignActives();
  readonly #waiting = new Set<ReturnType<typeof setTimeout>>();
  #silence: ReturnType<typeof setTimeout> | undefined;
  #heardAt = 0;
  /** One that is active was told of since there was silence. */
  #toldSince = false;

  constructor(options: ForeignOptions) {
    this.#options = options;
  }

  get adverts(): number {
    return this.#actives.adverts;
  }

  /** One that is not heard says that it is active. */
  heard(claim: Claim): void {
    this.#heardAt = performance.now();
    if (this.#actives.heard(claim, this.#heardAt)) {
      this.#toldSince = true;
      this.#tell(claim);
    }
    this.#silence ??= this.#watchSilence();
  }

  /** One that is heard is active besides this node. */
  met({ sender, priority, won, counts, reason }: Extract<Action, { kind: "conflict" }>): void {
    const { instance, log } = this.#options;
    const about = { instance, sender: formatIp(sender), priority, won, reason };
    log[counts ? "warning" : "debug"]("two nodes held the address", about);
    if (!won) return;
    // It may become a conflict: by then the MAC is to be known.
    this.#options.macOf(sender);
    if (counts || this.#actives.knows(sender, performance.now())) {
      this.heard({ sender, priority, refused: null });
    }
  }

  status(now: number): ForeignStatus[] {
    return this.#actives.list(now).map(({ sender, priority, why, heardAt, adverts }) => ({
      address: formatIp(sender),
      mac: this.#mac(sender),
      priority,
      why,
      silentMs: Math.round(now - heardAt),
      adverts,
    }));
  }

  close(): void {
    for (const timer of this.#waiting) clearTimeout(timer);
    this.#waiting.clear();
    clearTimeout(this.#silence);
  }

  /** One timer for however many adverts: it looks again when the last of them is not old enough. */
  #watchSilence(): ReturnType<typeof setTimeout> {
    const { instance, log, intervalMs, onSilent } = this.#options;
    const leftMs = this.#heardAt + foreignSilentMs(intervalMs()) - performance.now();
    return setTimeout(() => {
      const isOver = performance.now() - this.#heardAt >= foreignSilentMs(intervalMs());
      this.#silence = isOver ? undefined : this.#watchSilence();
      if (!isOver) return;
      // As rare as what it ends.
      if (this.#toldSince) log.info("no other node is active with this instance's id any more", { instance });
      this.#toldSince = false;
      onSilent();
    }, leftMs);
  }

  #tell(claim: Claim): void {
    if (this.#mac(claim.sender) !== null) return this.#write(claim);
    const timer = setTimeout(() => {
      this.#waiting.delete(timer);
      this.#write(claim);
    }, MAC_WAIT_MS);
    this.#waiting.add(timer);
  }

  #write({ sender, priority }: Claim): void {
    const { instance, log } = this.#options;
    const address = formatIp(sender);
    const why = this.#actives.list(performance.now()).find((one) => formatIp(one.sender) === address)?.why;
    log.warning("another node is active with this instance's id", {
      instance,
      address,
      mac: this.#mac(sender) ?? "unknown",
      priority,
      reason: why ?? "",
    });
  }

  #mac(address: IpBytes): string | null {
    const mac = this.#options.macOf(address);
    return mac === null ? null : formatMac(mac);
  }
}
