/**
 * The Huffman code of HPACK (RFC 7541 section 5.2 and appendix B), for decoding: four bits a step through a table.
 *
 * The code is canonical (codes of one length ascend with their symbols), so the lengths alone say all of it. We send
 * texts as they are, as HAProxy does: saving a third of a small head costs more than it is worth on a LAN.
 */

/** Bits of each symbol's code; the last is EOS. */
const LENGTHS = [
  ..."13 23 28 28 28 28 28 28 28 24 30 28 28 30 28 28 28 28 28 28 28 28 30 28 28 28 28 28 28 28 28 28".split(
    " ",
  ),
  ..."6 10 10 12 13 6 8 11 10 10 8 11 8 6 6 6 5 5 5 6 6 6 6 6 6 6 7 8 15 6 12 10".split(" "),
  ..."13 6 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 8 7 8 13 19 13 14 6".split(" "),
  ..."15 5 6 5 6 5 6 6 6 5 7 7 6 6 6 5 6 7 6 5 5 6 7 7 7 7 7 15 11 14 13 28".split(" "),
  ..."20 22 20 20 22 22 22 23 22 23 23 23 23 23 24 23 24 24 22 23 24 23 23 23 23 21 22 23 22 23 23 24".split(
    " ",
  ),
  ..."22 21 20 22 22 23 23 21 23 22 22 24 21 22 23 23 21 21 22 21 23 22 23 23 20 22 22 22 23 22 22 23".split(
    " ",
  ),
  ..."26 26 20 19 22 23 22 25 26 26 26 27 27 26 24 25 19 21 26 27 27 26 27 24 21 21 26 26 28 27 27 27".split(
    " ",
  ),
  ..."20 24 20 21 22 21 21 23 22 22 25 25 24 24 26 23 26 27 26 26 27 27 27 27 27 28 27 27 27 27 27 26".split(
    " ",
  ),
  "30",
].map(Number);
const EOS = 256;
/** The shortest code: a symbol takes at least so many bits, so that one step of four ends one at most. */
export const SHORTEST_BITS = 5;
export const LONGEST_BITS = 30;

/** An entry of `STEPS`: the node reached, and when the step ended a symbol, EMITS and the symbol. */
const NODE_SHIFT = 9;
const EMITS = 0x100;
const FAILED = -1;

/** By node and next four bits. Node 0 is the root. */
const STEPS = new Int32Array(EOS * 16);
/** 1: a text may end here, as what came since its last symbol is a prefix of EOS of less than a byte. */
const MAY_END = new Uint8Array(EOS);

fill();

/** Writes the decoded text to `out` at `at`; returns the offset behind it, or -1 when it is not valid. */
export function decodeHuffman(
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  at: number,
): number {
  let node = 0;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    let step = STEPS[node * 16 + (byte >> 4)]!;
    if (step === FAILED) return -1;
    if ((step & EMITS) !== 0) out[at++] = step & 0xff;
    step = STEPS[(step >> NODE_SHIFT) * 16 + (byte & 15)]!;
    if (step === FAILED) return -1;
    if ((step & EMITS) !== 0) out[at++] = step & 0xff;
    node = step >> NODE_SHIFT;
  }
  return MAY_END[node] === 1 ? at : -1;
}

/** Builds the tree from the lengths, then the table from the tree. */
function fill(): void {
  /** By node and bit: a node (positive), or the complement of a symbol; 0: not there yet. */
  const tree: number[] = [0, 0];
  const order = LENGTHS.map((_, symbol) => symbol).sort((a, b) => LENGTHS[a]! - LENGTHS[b]! || a - b);
  let code = 0;
  let length = 0;
  for (const symbol of order) {
    code *= 2 ** (LENGTHS[symbol]! - length);
    length = LENGTHS[symbol]!;
    let node = 0;
    for (let bit = length - 1; bit > 0; bit--) {
      const slot = 2 * node + (code >>> bit & 1);
      if (tree[slot] === 0) {
        tree[slot] = tree.length / 2;
        tree.push(0, 0);
      }
      node = tree[slot]!;
    }
    tree[2 * node + (code & 1)] = ~symbol;
    code++;
  }
  for (let node = 0; node < EOS; node++) {
    for (let bits = 0; bits < 16; bits++) STEPS[node * 16 + bits] = walk(tree, node, bits);
  }
  for (let ones = 0, node = 0; ones < 8; ones++, node = tree[2 * node + 1]!) MAY_END[node] = 1;
}

function walk(tree: readonly number[], node: number, bits: number): number {
  let emitted = 0;
  for (let bit = 3; bit >= 0; bit--) {
    const next = tree[2 * node + (bits >> bit & 1)]!;
    if (next === ~EOS) return FAILED;
    if (next < 0) emitted = EMITS | ~next;
    node = Math.max(next, 0);
  }
  return node << NODE_SHIFT | emitted;
}
