/** Drives one machine through simulated time, and reads what it did. */
import type { Action, Input, InstanceConfig } from "../../vrrp/events.ts";
import { Machine } from "../../vrrp/machine.ts";
import { assert, assertEquals } from "../assert.ts";

export const INTERVAL_MS = 1000;
/** The machine's own address is 10.0.0.2. */
export const LOWER = new Uint8Array([10, 0, 0, 1]);
export const LOCAL = new Uint8Array([10, 0, 0, 2]);
export const GREATER = new Uint8Array([10, 0, 0, 3]);

export const CONFIG: InstanceConfig = {
  version: 3,
  priority: 100,
  intervalMs: INTERVAL_MS,
  preempt: true,
  localAddress: LOCAL,
  addresses: ["10.0.0.50/24"],
};

type AdvertFields = Partial<Omit<Extract<Input, { kind: "advert" }>, "kind">>;

export function advert(priority: number, fields: AdvertFields = {}): Input {
  return {
    kind: "advert",
    priority,
    intervalMs: INTERVAL_MS,
    sender: GREATER,
    count: 1,
    node: null,
    health: null,
    ...fields,
  };
}

export function health(score: number, priorityChange = 0): Input {
  return { kind: "health", score, priorityChange, reason: score < 100 ? "pool app: 0 healthy" : "" };
}

export class Driver {
  readonly machine: Machine;
  now = 1_000_000;

  constructor(config: Partial<InstanceConfig> = {}) {
    this.machine = new Machine({ ...CONFIG, ...config });
  }

  give(...inputs: Input[]): Action[] {
    return inputs.flatMap((input) => this.machine.handle(input, this.now));
  }

  tell(node: string, score: number, able = true): Action[] {
    return this.give({ kind: "peerHealth", node, score, able, at: this.now });
  }

  /** Lets time pass, with a tick at each deadline on the way. */
  pass(ms: number): Action[] {
    const end = this.now + ms;
    const actions: Action[] = [];
    while (this.machine.deadline() <= end) {
      this.now = Math.max(this.now, this.machine.deadline());
      actions.push(...this.give({ kind: "tick" }));
      assert(this.machine.deadline() > this.now, "a tick leaves no deadline in the past");
    }
    this.now = end;
    return actions;
  }

  /** Milliseconds to the next deadline. */
  get leftMs(): number {
    return this.machine.deadline() - this.now;
  }

  /** An Active that hears this advert every interval, for so long. */
  hear(input: Input, ms: number): Action[] {
    const actions: Action[] = [];
    for (let passed = 0; passed < ms; passed += INTERVAL_MS) {
      actions.push(...this.give(input), ...this.pass(INTERVAL_MS));
    }
    return actions;
  }
}

export function started(config: Partial<InstanceConfig> = {}): Driver {
  const driver = new Driver(config);
  driver.give({ kind: "start" });
  return driver;
}

export function active(config: Partial<InstanceConfig> = {}): Driver {
  const driver = started(config);
  driver.pass(driver.leftMs);
  assertEquals(driver.machine.state, "active");
  return driver;
}

/** The actions in short: `advert 100`, `add`, `announce 5`, `backup->active`. */
export function short(actions: readonly Action[]): string[] {
  return actions.flatMap((action) => {
    switch (action.kind) {
      case "sendAdvert":
        return [`advert ${action.priority}`];
      case "addAddresses":
        return ["add"];
      case "removeAddresses":
        return ["remove"];
      case "announce":
        return [`announce ${action.times}`];
      case "notify":
        return [`${action.from}->${action.to}`];
      case "conflict":
        return [action.won ? "won" : "lost"];
      case "note":
        return [];
    }
  });
}

export function reasonOf(actions: readonly Action[]): string {
  const notify = actions.find((action) => action.kind === "notify" || action.kind === "note");
  assert(notify !== undefined, "something was told");
  return notify.reason;
}
