/** Packets of VRRP that no honest speaker sends, on the real sockets: each is counted by its reason and changes nothing. */
import { formatIp, parseIp } from "../../mod/base/address.ts";
import { writeIpv4 } from "../../vrrp/ip_header.ts";
import { type Advert, encodeAdvert } from "../../vrrp/packet.ts";
import { assert, assertEquals } from "../assert.ts";
import { LAB_NEEDS } from "./netns.ts";
import { type Router, Speakers } from "./speakers.ts";
import { labTest } from "./tools.ts";

const GROUP = parseIp("224.0.0.18")!;
const GROUP6 = parseIp("ff02::12")!;
const ROUTERS: readonly Router[] = [
  { id: 51, version: 3, intervalMs: 1000, addresses: ["10.77.0.51/24"] },
  { id: 52, version: 2, intervalMs: 1000, addresses: ["10.77.0.52/24"] },
  { id: 53, version: 3, intervalMs: 1000, addresses: ["fe80::5:53/64"] },
];
const V3: Advert = {
  version: 3,
  vrid: 51,
  priority: 250,
  intervalMs: 1000,
  addresses: [parseIp("10.77.0.51")!],
};
const V2: Advert = { ...V3, version: 2, vrid: 52, addresses: [parseIp("10.77.0.52")!] };
const V6: Advert = { ...V3, vrid: 53, addresses: [parseIp("fe80::5:53")!] };

labTest(
  "VRRP forged packets are dropped by reason; options and trailing bytes are not held against one",
  LAB_NEEDS,
  async () => {
    await using speakers = await Speakers.start("lb1", "peer");
    const { lab } = speakers;
    speakers.write("lb1", ROUTERS, { priority: 100 });
    speakers.tandem("lb1");
    await speakers.until("lb1", ({ state }) => state === "active");
    const text = await lab.ip("peer", "-o", "link", "show", "eth0");
    const child = lab.deno("peer", "vrrp_forge_program.ts", text.split(":")[0]!);
    void child.stdout.cancel();
    const writer = child.stdin.getWriter();
    const say = (line: object) => writer.write(new TextEncoder().encode(JSON.stringify(line) + "\n"));

    const source = parseIp(lab.address("peer"))!;
    const good = (advert: Advert) => encodeAdvert(advert, { source, destination: GROUP });
    const whole = (payload: Uint8Array, change: Record<number, number> = {}, destination = GROUP) => {
      const bytes = writeIpv4(source, destination, payload);
      for (const [at, value] of Object.entries(change)) bytes[Number(at)] = value;
      return { to: formatIp(destination), hex: bytes.toHex() };
    };
    const broken = good(V3);
    broken[6] = broken[6]! ^ 0xff;
    await say(whole(good(V3), { 8: 254 }));
    await say(whole(broken));
    await say(whole(good({ ...V3, version: 2 })));
    await say(whole(good({ ...V3, vrid: 99 })));
    await say(whole(good(V3).subarray(0, 10)));
    await say(whole(good(V3), {}, parseIp(lab.address("lb1"))!));
    await say(whole(good({ ...V2, intervalMs: 3000 })));
    await say(whole(encodeAdvert(V2, null, new Uint8Array(8).fill(65))));
    const six = (await lab.ip("peer", "-6", "address", "show", "dev", "eth0")).match(/fe80::[0-9a-f:]+/)![0];
    const ends = { source: parseIp(six)!, destination: GROUP6 };
    await say({ to: "ff02::12", hex: encodeAdvert(V6, ends).toHex(), hopLimit: 64 });
    const mixed = { ...V6, addresses: [parseIp("fd77::53")!] };
    await say({ to: "ff02::12", hex: encodeAdvert(mixed, ends).toHex() });
    const wanted = {
      4: { ttl: 1, checksum: 1, version: 1, vrid: 1, length: 1, destination: 1, interval: 1, auth: 1 },
      6: { ttl: 1, linkLocal: 1 },
    };
    const sorted = (counts: object) => JSON.stringify(Object.entries(counts).sort());
    const instances = await speakers.until(
      "lb1",
      ({ routerId, adverts }) => sorted(adverts.dropped) === sorted(wanted[routerId === 53 ? 6 : 4]),
    );
    // Each of them agrees on the id, and says that it is active.
    for (const { foreign } of instances) {
      assert(
        foreign.length === 1 && foreign[0]!.priority === 250 && foreign[0]!.why !== "",
        JSON.stringify(foreign),
      );
    }
    assertEquals(instances.map(({ foreignAdverts }) => foreignAdverts), [4, 2, 2]);
    assertEquals(instances.map(({ state, adverts }) => [state, adverts.received]), [
      ["active", 0],
      ["active", 0],
      ["active", 0],
    ]);

    // With options before it (router alert), and with bytes after it: a good packet all the same.
    const plain = whole(new Uint8Array([...good(V3), 1, 2, 3])).hex;
    const header = Uint8Array.fromHex(plain.slice(0, 40));
    header[0] = 0x46;
    await say({ to: "224.0.0.18", hex: header.toHex() + "94040000" + plain.slice(40) });
    await say({ to: "ff02::12", hex: encodeAdvert(V6, ends).toHex() + "0102" });
    await say(whole(encodeAdvert(V2, null)));
    const followed = await speakers.until("lb1", ({ state, owner }) => state === "backup" && owner !== "lb1");
    assertEquals(followed.map(({ owner }) => owner), [lab.address("peer"), lab.address("peer"), six]);
    await writer.close();
    await child.status;
  },
);
