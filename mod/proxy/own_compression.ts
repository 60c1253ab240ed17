/** Compression of what is answered without a server: files, and bodies of the configuration. */
import type { Compressors } from "../compress/compressor.ts";
import { isWorthIt, variesBy, type Wish } from "../compress/judge.ts";
import { compressWhole } from "../compress/whole.ts";
import type { FileCompression } from "../files/plan.ts";
import type { Answer } from "../http/answer.ts";

const encoder = new TextEncoder();
/** Bodies of the configuration in the encodings that were asked for, by encoding. */
export type EncodedBodies = Map<string, Uint8Array>;

/** What a plan of files needs to know of it. */
export function fileCompression({ policy, encoding }: Wish, compressors: Compressors): FileCompression {
  return {
    worthIt: (type, size) => isWorthIt(policy, type, size),
    encoding,
    form: encoding === null ? "" : `${encoding} ${policy.levels[encoding]}`,
    compress: (bytes) =>
      encoding === null ? null : compressWhole(compressors, encoding, policy.levels[encoding], bytes),
  };
}

/** An answer as the client would have it. `known`: what is remembered of its body; null: that is made anew each time. */
export function encodedAnswer(
  answer: Answer,
  { policy, encoding }: Wish,
  compressors: Compressors,
  known: EncodedBodies | null,
): Answer {
  if (!variesBy(answer.status)) return answer;
  const body = encoder.encode(answer.body);
  if (!isWorthIt(policy, answer.contentType, body.length)) return answer;
  const plain = { ...answer, fields: "Vary: Accept-Encoding\r\n" };
  if (encoding === null) return plain;
  let bytes = known?.get(encoding) ?? null;
  if (bytes === null) {
    bytes = compressWhole(compressors, encoding, policy.levels[encoding], body);
    if (bytes !== null) known?.set(encoding, bytes);
  }
  if (bytes === null || bytes.length >= body.length) return plain;
  return { ...plain, bytes, fields: `Content-Encoding: ${encoding}\r\n${plain.fields}` };
}
