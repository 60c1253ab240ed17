/**
 * Reads the certificates, authorities, keys and pages that a configuration names, and says what is wrong with them.
 *
 * A path that is not absolute begins at the directory of the configuration file. What a key holds is in no message.
 */
import { reasonOf } from "../base/reason.ts";
import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import { dirname, resolve } from "node:path";
import type { FileKind, FileReader, NamedFile } from "./named_files.ts";
import { certificateBlocks, keyBlock } from "./pem.ts";

/** A bundle of all well-known authorities has 200 KiB. */
const MAX_BYTES = 4 * 1024 * 1024;
const MAX_PAGE_CHARS = 256 * 1024;

/** For the configuration in `file`; `now` is the time, in milliseconds since the epoch. */
export function certificateFiles(file: string, now: () => number = Date.now): FileReader {
  const directory = dirname(file);
  return {
    read(path, kind) {
      const read = readText(resolve(directory, path), path);
      if ("problem" in read) return read;
      if (kind === "page") return pageOf(read.text, path);
      return kind === "key" ? keyOf(read.text, path) : certificatesOf(read.text, path, kind, now());
    },
    belong: (certificate, key) => {
      const [first] = certificateBlocks(certificate);
      return first !== undefined &&
        publicOf(new X509Certificate(first).publicKey) ===
          publicOf(createPublicKey(createPrivateKey(key)));
    },
  };
}

function publicOf(key: KeyObject): string {
  return key.export({ type: "spki", format: "pem" }).toString();
}

/** Pages are held in every worker. */
function pageOf(text: string, path: string): NamedFile {
  if (text.length > MAX_PAGE_CHARS) return { problem: `has more than ${MAX_PAGE_CHARS} characters: ${path}` };
  return text.includes("\ufffd") ? { problem: `is not text in UTF-8: ${path}` } : { text, warning: null };
}

function readText(path: string, shown: string): { text: string } | { problem: string } {
  try {
    const { size, isFile } = Deno.statSync(path);
    if (isFile && size > MAX_BYTES) return { problem: `is too large to be read: ${shown}` };
    return { text: Deno.readTextFileSync(path) };
  } catch (error) {
    return { problem: `cannot be read: ${shown}: ${whyUnread(error)}` };
  }
}

function whyUnread(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  if (error instanceof Deno.errors.IsADirectory) return "it is a directory";
  if (error instanceof Deno.errors.PermissionDenied) return "this user may not read it";
  return reasonOf(error);
}

function certificatesOf(text: string, path: string, kind: FileKind, now: number): NamedFile {
  const blocks = certificateBlocks(text);
  if (blocks.length === 0) return { problem: `has no certificate in PEM: ${path}` };
  const all: X509Certificate[] = [];
  for (const [at, block] of blocks.entries()) {
    try {
      all.push(new X509Certificate(block));
    } catch {
      const which = blocks.length === 1 ? "a certificate" : `a certificate (number ${at + 1})`;
      return { problem: `has ${which} that cannot be read: ${path}` };
    }
  }
  if (kind === "authorities" && !all.some(({ ca }) => ca)) {
    return { problem: `has no certificate of an authority: ${path}` };
  }
  const first = all[0]!;
  const over = Date.parse(first.validTo);
  const expired = (kind === "certificate" || all.length === 1) && over < now;
  return { text: blocks.join("\n") + "\n", warning: expired ? `expired on ${day(over)}: ${path}` : null };
}

function keyOf(file: string, path: string): NamedFile {
  const text = keyBlock(file);
  if (/BEGIN ENCRYPTED|Proc-Type: 4,ENCRYPTED/.test(text)) {
    return { problem: `has a key with a passphrase, which nobody could enter: ${path}` };
  }
  try {
    createPrivateKey(text);
  } catch {
    return { problem: `has no private key in PEM: ${path}` };
  }
  return { text, warning: null };
}

function day(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
