import {
  equalsLower,
  FIELD_VALUE,
  fromLatin1,
  HEX,
  HOST,
  latin1,
  TARGET,
  TOKEN,
} from "../../mod/http/grammar.ts";
import { assertEquals } from "../assert.ts";

/** The characters of a class, as one text. */
function members(table: Uint8Array): string {
  return Array.from(table, (in_, byte) => in_ === 1 ? String.fromCharCode(byte) : "").join("");
}

const DIGITS = "0123456789";
const UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LOWER = UPPER.toLowerCase();
const sorted = (text: string) => [...text].sort().join("");

Deno.test("TOKEN holds exactly the tchar of RFC 9110 section 5.6.2", () => {
  assertEquals(members(TOKEN), sorted("!#$%&'*+-.^_`|~" + DIGITS + UPPER + LOWER));
});

Deno.test("FIELD_VALUE holds everything but control bytes, and the tab", () => {
  const bad = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => FIELD_VALUE[byte] === 0);
  assertEquals(bad, [...Array.from({ length: 32 }, (_, byte) => byte).filter((byte) => byte !== 9), 127]);
});

Deno.test("TARGET holds visible ASCII without the number sign", () => {
  assertEquals(members(TARGET).length, 0x7f - 0x21 - 1);
  for (const char of " #\t\r\n\0\x7f\x80\xff") {
    assertEquals(TARGET[char.charCodeAt(0)], 0, JSON.stringify(char));
  }
});

Deno.test("HOST holds no separator of hosts, ports, users or paths", () => {
  for (const char of '/?#@[]:,%\\ "<>^`{|}\0\x80') {
    assertEquals(HOST[char.charCodeAt(0)], 0, JSON.stringify(char));
  }
  for (const char of DIGITS + UPPER + LOWER + "-._~") assertEquals(HOST[char.charCodeAt(0)], 1, char);
});

Deno.test("HEX gives the digits their values and nothing else", () => {
  for (let byte = 0; byte < 256; byte++) {
    const char = String.fromCharCode(byte);
    assertEquals(HEX[byte], /[0-9a-fA-F]/.test(char) ? parseInt(char, 16) : 255, char);
  }
});

Deno.test("equalsLower() ignores the case of letters and of nothing else", () => {
  const equal = (text: string, lower: string) =>
    equalsLower(fromLatin1(`<${text}>`), 1, 1 + text.length, lower);
  assertEquals(equal("ChUnKeD", "chunked"), true);
  assertEquals(equal("100-CONTINUE", "100-continue"), true);
  assertEquals(equal("chunke", "chunked"), false);
  assertEquals(equal("chunked ", "chunked"), false);
  // What a careless `| 0x20` takes for equal: CR for a hyphen, @ for a backquote.
  assertEquals(equal("100\rcontinue", "100-continue"), false);
  assertEquals(equal("@", "`"), false);
  assertEquals(equal("\x4b", "\xeb"), false);
});

Deno.test("fromLatin1() and latin1() are each other's inverse for every byte", () => {
  const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  assertEquals(fromLatin1(latin1(all, 0, 256)), all);
  assertEquals(latin1(all, 0x41, 0x44), "ABC");
});
