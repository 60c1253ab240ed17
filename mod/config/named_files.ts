/**
 * The files that a configuration names: each is read once, and what was checked is what is used. Pure: how a file is
 * read, and what a certificate is, are parameters.
 */

/** What a file has to hold. */
export type FileKind = "authorities" | "certificate" | "key" | "page";

/** What was read, or why it is of no use; the words end a sentence about the file. Never a word of a key. */
export type NamedFile =
  | { readonly text: string; readonly warning: string | null }
  | { readonly problem: string };

export interface FileReader {
  read(path: string, kind: FileKind): NamedFile;
  /** True when a certificate is for a key. */
  belong(certificate: string, key: string): boolean;
}

export class NamedFiles {
  /** The texts by path as written. */
  readonly texts = new Map<string, string>();
  readonly #reader: FileReader | null;
  readonly #read = new Map<string, NamedFile>();

  /** Without a reader files are not looked at, and `read` answers null. */
  constructor(reader: FileReader | null) {
    this.#reader = reader;
  }

  read(path: string, kind: FileKind): NamedFile | null {
    if (this.#reader === null) return null;
    const key = `${kind} ${path}`;
    const known = this.#read.get(key);
    if (known !== undefined) return known;
    const file = this.#reader.read(path, kind);
    this.#read.set(key, file);
    // The certificate and its key may be in one file.
    if ("text" in file) {
      const before = this.texts.get(path) ?? "";
      this.texts.set(path, before.includes(file.text) ? before : before + file.text);
    }
    return file;
  }

  belong(certificate: string, key: string): boolean {
    return this.#reader === null || this.#reader.belong(certificate, key);
  }
}
