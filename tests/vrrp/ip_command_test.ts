import fc from "fast-check";
import { parseIp } from "../../mod/base/address.ts";
import { deleteLine, listArguments, parseAddressList, setLine } from "../../vrrp/ip_command.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";

const V4 = { address: parseIp("10.0.0.50")!, prefix: 32, leaseSeconds: 3, noPrefixRoute: false };
const V6 = { address: parseIp("fd77::50")!, prefix: 64, leaseSeconds: 3, noPrefixRoute: true };

Deno.test("setLine() and deleteLine() are lines of ip -batch", () => {
  assertEquals(setLine("eth0", V4), "address replace 10.0.0.50/32 dev eth0 valid_lft 3 preferred_lft 3");
  assertEquals(
    setLine("eth0", V6),
    "address replace fd77::50/64 dev eth0 valid_lft 3 preferred_lft 0 nodad noprefixroute",
  );
  assertEquals(
    setLine("eth0", { ...V6, leaseSeconds: null, noPrefixRoute: false }),
    "address replace fd77::50/64 dev eth0 valid_lft forever preferred_lft forever nodad",
  );
  assertEquals(deleteLine("eth0", V4), "address del 10.0.0.50/32 dev eth0");
  assertEquals(listArguments("eth0"), ["-json", "address", "show", "dev", "eth0"]);
});

Deno.test("setLine() refuses interface names that would be another command", () => {
  for (const device of ["eth0\naddress flush dev eth0", "eth 0", "", "a/b", "sixteen-letters-"]) {
    assertThrows(() => setLine(device, V4), Error, "Cannot name an interface");
    assertThrows(() => deleteLine(device, V4), Error, "Cannot name an interface");
    assertThrows(() => listArguments(device), Error, "Cannot name an interface");
  }
});

Deno.test("parseAddressList() reads what ip -json prints", () => {
  const printed = JSON.stringify([{
    ifindex: 2,
    ifname: "eth0",
    addr_info: [
      { family: "inet", local: "10.0.0.1", prefixlen: 24, valid_life_time: 4294967295 },
      {
        family: "inet",
        local: "10.0.0.2",
        prefixlen: 24,
        secondary: true,
        dynamic: true,
        valid_life_time: 9,
      },
      { family: "inet6", local: "fd77::50", prefixlen: 64, noprefixroute: true, valid_life_time: 2 },
      { family: "other", local: "?" },
    ],
  }]);
  const plain = { index: 2, leaseSeconds: null, noPrefixRoute: false, secondary: false };
  assertEquals(parseAddressList(printed), [
    { ...plain, address: parseIp("10.0.0.1")!, prefix: 24 },
    { ...plain, address: parseIp("10.0.0.2")!, prefix: 24, leaseSeconds: 9, secondary: true },
    { ...plain, address: parseIp("fd77::50")!, prefix: 64, leaseSeconds: 2, noPrefixRoute: true },
  ]);
});

Deno.test("parseAddressList() of anything else is null or empty, and never throws", () => {
  assertEquals([parseAddressList(""), parseAddressList("{}"), parseAddressList("eth0: up")], [
    null,
    null,
    null,
  ]);
  assertEquals(parseAddressList('[null, {}, {"addr_info": [7, {}]}]'), []);
  fc.assert(fc.property(fc.json(), (text) => {
    const parsed = parseAddressList(text);
    assert(parsed === null || Array.isArray(parsed));
  }));
});
