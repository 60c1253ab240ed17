/** The holder on an interface of memory, which does what the kernel does with addresses. */
import { formatIp, parseIp } from "../../mod/base/address.ts";
import type { AddressWriter } from "../../vrrp/address_writer_io.ts";
import type { InterfaceAddress, NetlinkMessage } from "../../vrrp/netlink.ts";
import { Turns } from "../../vrrp/turns.ts";
import { sameAddress, type Vip } from "../../vrrp/vip.ts";
import { VipHolder } from "../../vrrp/vip_io.ts";
import { assertEquals } from "../assert.ts";

const VIPS: Vip[] = [{ address: parseIp("10.0.0.50")!, prefix: 32 }, {
  address: parseIp("fd77::50")!,
  prefix: 128,
}];
const LEASE_SECONDS = 3;

class Interface {
  nowMs = 0;
  addresses: InterfaceAddress[] = [];
  /** What was asked, in order. */
  readonly calls: string[] = [];
  failure: string | null = null;
  missing = false;
  readonly #turns = new Turns();

  holder(
    via: "netlink" | "ip" = "netlink",
    setSysctl?: (name: string, value: string) => string | null,
    vips: readonly Vip[] = VIPS,
  ): VipHolder {
    const options = {
      device: "eth0.7",
      vips,
      leaseSeconds: LEASE_SECONDS,
      writer: this.#writer(via),
      now: () => this.nowMs,
    };
    return new VipHolder(setSysctl === undefined ? options : { ...options, setSysctl });
  }

  drop(text: string): NetlinkMessage {
    const address = this.addresses.find((own) => formatIp(own.address) === text)!;
    this.addresses = this.addresses.filter((own) => own !== address);
    return { kind: "address", gone: true, address };
  }

  #writer(via: "netlink" | "ip"): AddressWriter {
    const check = () => {
      if (this.missing) throw new Error("Cannot find the interface eth0.7");
    };
    return {
      via,
      turns: this.#turns,
      list: () => Promise.try(() => (check(), [...this.addresses])),
      set: (_device, settings) =>
        Promise.try(() => {
          this.calls.push(`set ${settings.map(({ address }) => formatIp(address)).join(" ")}`.trim());
          if (this.failure !== null) return [this.failure];
          for (const setting of settings) {
            this.addresses = this.addresses.filter(({ address }) => !sameAddress(address, setting.address));
            this.addresses.push({ ...setting, index: 2, secondary: false });
          }
          return [];
        }),
      remove: (_device, removed) =>
        Promise.try(() => {
          this.calls.push(`remove ${removed.map(({ address }) => formatIp(address)).join(" ")}`.trim());
          this.addresses = this.addresses.filter((own) =>
            !removed.some(({ address }) => sameAddress(address, own.address))
          );
          return [];
        }),
    };
  }
}

const text = (vips: readonly Vip[]) => vips.map(({ address }) => formatIp(address));

Deno.test("renew() prolongs while the lease lasts, and gives up at its end, not to take back what a peer has", async () => {
  const lan = new Interface();
  const holder = lan.holder();
  await holder.add();
  lan.nowMs = LEASE_SECONDS * 1000 - 1;
  assertEquals(await holder.renew(), { done: true, problems: [], lost: [] });
  lan.nowMs += LEASE_SECONDS * 1000 - 1;
  assertEquals((await holder.renew()).lost, []);
  lan.nowMs += LEASE_SECONDS * 1000;
  const sets = lan.calls.length;
  assertEquals(text((await holder.renew()).lost), ["10.0.0.50", "fd77::50"]);
  assertEquals(text(holder.held), []);
  assertEquals(lan.calls.length, sets);
  assertEquals((await holder.renew()).lost, []);
});

Deno.test("renew() that fails is told, and the lease counts from the last one that did not", async () => {
  const lan = new Interface();
  const holder = lan.holder();
  await holder.add();
  lan.failure = "the network is down";
  lan.nowMs = 2000;
  assertEquals(await holder.renew(), { done: false, problems: ["the network is down"], lost: [] });
  lan.nowMs = 3000;
  assertEquals((await holder.renew()).lost.length, 2);
});

Deno.test("renew() by ip looks whether the addresses are there, for it hears no events", async () => {
  const lan = new Interface();
  const holder = lan.holder("ip");
  await holder.add();
  lan.drop("10.0.0.50");
  assertEquals(text((await holder.renew()).lost), ["10.0.0.50"]);
  assertEquals(text(holder.held), ["fd77::50"]);
  assertEquals((await holder.renew()).lost, []);
});

Deno.test("renew() before add() and after remove() touches nothing", async () => {
  const lan = new Interface();
  const holder = lan.holder();
  await holder.renew();
  await holder.add();
  await holder.remove();
  await holder.renew();
  assertEquals(lan.calls, ["set 10.0.0.50 fd77::50", "remove 10.0.0.50 fd77::50"]);
});

Deno.test("notice() tells what was removed by hand, not what was removed by us or has come back", async () => {
  const lan = new Interface();
  const holder = lan.holder();
  await holder.add();
  const byHand = lan.drop("fd77::50");
  assertEquals(text((await holder.notice(byHand)).lost), ["fd77::50"]);
  assertEquals((await holder.notice(byHand)).lost, []);
  await holder.add();
  assertEquals((await holder.notice(byHand)).lost, []);
  await holder.remove();
  assertEquals((await holder.notice(byHand)).lost, []);
});

Deno.test("VipHolder() carries out calls in their order, also when they are not waited for", async () => {
  const lan = new Interface();
  const holder = lan.holder();
  const all = [holder.add(), holder.remove(), holder.add(), holder.renew(), holder.remove()];
  await Promise.all(all);
  assertEquals(lan.calls.map((call) => call.split(" ")[0]), ["set", "remove", "set", "set", "remove"]);
  assertEquals(lan.addresses, []);
});

Deno.test("VipHolder() an interface that is gone is a problem, never an exception, and the next call goes on", async () => {
  const lan = new Interface();
  const holder = lan.holder();
  lan.missing = true;
  const problems = ["Cannot find the interface eth0.7"];
  assertEquals(await holder.add(), { done: false, problems });
  assertEquals(await holder.remove(), { done: false, problems });
  assertEquals(await holder.removeLeftovers(), { done: false, problems, found: [] });
  lan.missing = false;
  assertEquals(await holder.add(), { done: true, problems: [] });
});

Deno.test("add() sets promote_secondaries by the interface's sysctl name; a failure is said and does not stop it", async () => {
  const lan = new Interface();
  const asked: string[] = [];
  const setSysctl = (name: string, value: string) => {
    asked.push(`${name}=${value}`);
    return "read-only file system";
  };
  assertEquals(await lan.holder("netlink", setSysctl).add(), { done: true, problems: [] });
  assertEquals(asked, [], "no subnet, no secondaries");
  VIPS[0] = { ...VIPS[0]!, prefix: 24 };
  assertEquals(await lan.holder("netlink", setSysctl).add(), {
    done: true,
    problems: ["read-only file system"],
  });
  assertEquals(asked, ["net.ipv4.conf.eth0/7.promote_secondaries=1"]);
  VIPS[0] = { ...VIPS[0]!, prefix: 32 };
});

Deno.test("remove() of two holders at once puts back nothing of the other's", async () => {
  const lan = new Interface();
  const vip = (text: string): Vip => ({ address: parseIp(text)!, prefix: 24 });
  const one = lan.holder("netlink", undefined, [vip("10.0.0.51")]);
  const other = lan.holder("netlink", undefined, [vip("10.0.0.52")]);
  await one.add();
  await other.add();
  lan.addresses = lan.addresses.map((address) => ({ ...address, secondary: true }));
  const outcomes = await Promise.all([one.remove(), other.remove()]);
  assertEquals(outcomes, [{ done: true, problems: [] }, { done: true, problems: [] }]);
  assertEquals(lan.addresses, []);
});
