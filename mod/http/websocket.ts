/**
 * What a server says to the key of a WebSocket (RFC 6455 section 4.2.2): SHA-1 (RFC 3174) in base64, of texts of a line.
 * SHA-1 is no protection here, and none is needed: it shows that the other side speaks the protocol. Pure.
 */

const PURPOSE = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const BLOCK_BYTES = 64;

/** Value of `Sec-WebSocket-Accept` for the key that a client has sent. */
export function websocketAccept(key: string): string {
  return btoa(String.fromCharCode(...sha1(new TextEncoder().encode(key + PURPOSE))));
}

/** The 20 bytes of the hash. */
export function sha1(text: Uint8Array): Uint8Array {
  const padded = new Uint8Array(Math.ceil((text.length + 9) / BLOCK_BYTES) * BLOCK_BYTES);
  padded.set(text);
  padded[text.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 4, text.length * 8);
  const hash = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0);
  for (let at = 0; at < padded.length; at += BLOCK_BYTES) addBlock(hash, view, at);
  const out = new DataView(new ArrayBuffer(20));
  hash.forEach((word, index) => out.setInt32(4 * index, word));
  return new Uint8Array(out.buffer);
}

function addBlock(hash: Int32Array, view: DataView, at: number): void {
  const words = new Int32Array(80);
  for (let i = 0; i < 16; i++) words[i] = view.getInt32(at + 4 * i);
  for (let i = 16; i < 80; i++) {
    words[i] = turn(words[i - 3]! ^ words[i - 8]! ^ words[i - 14]! ^ words[i - 16]!, 1);
  }
  let [a, b, c, d, e] = hash as unknown as [number, number, number, number, number];
  for (let i = 0; i < 80; i++) {
    const next = turn(a, 5) + step(i, b, c, d) + e + words[i]! | 0;
    [a, b, c, d, e] = [next, a, turn(b, 30), c, d];
  }
  [a, b, c, d, e].forEach((word, index) => hash[index]! += word);
}

function step(round: number, b: number, c: number, d: number): number {
  if (round < 20) return (b & c | ~b & d) + 0x5a827999;
  if (round < 40) return (b ^ c ^ d) + 0x6ed9eba1;
  if (round < 60) return (b & c | b & d | c & d) + 0x8f1bbcdc;
  return (b ^ c ^ d) + 0xca62c1d6;
}

function turn(word: number, by: number): number {
  return word << by | word >>> 32 - by;
}
