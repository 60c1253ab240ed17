/**
 * Certificates for tests, made by openssl when they are wanted: authorities, and what they have signed.
 *
 * All of it lives in one directory that is removed at the end.
 */
import { requireTool } from "./tools.ts";

export interface Signing {
  /** As openssl writes them: `DNS:app.internal,IP:127.0.0.1`. */
  readonly names: string;
  /** Days from now on; negative: it has expired. */
  readonly days?: number;
}

export interface Pair {
  readonly cert: string;
  readonly key: string;
}

export class Certificates implements Disposable {
  readonly directory = Deno.makeTempDirSync({ prefix: "tandem-certificates-" });

  [Symbol.dispose](): void {
    Deno.removeSync(this.directory, { recursive: true });
  }

  /** An authority of its own; the answer is its name for `sign` and where its files are. */
  authority(name: string): Pair {
    const pair = this.#pair(name);
    this.#openssl(
      ...["req", "-x509", ...KEY, "-keyout", pair.key, "-out", pair.cert, "-days", "30"],
      ...["-subj", `/CN=${name}`, "-addext", "basicConstraints=critical,CA:TRUE"],
    );
    return pair;
  }

  /** A certificate that an authority has signed. */
  sign(name: string, authority: Pair, { names, days = 30 }: Signing): Pair {
    const pair = this.#pair(name);
    const request = `${this.directory}/${name}.csr`;
    const extensions = `${this.directory}/${name}.ext`;
    this.#openssl("req", ...KEY, "-keyout", pair.key, "-out", request, "-subj", `/CN=${name}`);
    Deno.writeTextFileSync(extensions, `subjectAltName=${names}\nbasicConstraints=CA:FALSE\n`);
    this.#openssl(
      ...["x509", "-req", "-in", request, "-CA", authority.cert, "-CAkey", authority.key, "-CAcreateserial"],
      ...["-out", pair.cert, "-days", String(days), "-extfile", extensions],
    );
    return pair;
  }

  #pair(name: string): Pair {
    return { cert: `${this.directory}/${name}.pem`, key: `${this.directory}/${name}.key` };
  }

  #openssl(...args: string[]): void {
    const tool = requireTool("openssl");
    if ("skip" in tool) throw new Error(tool.skip);
    const { success, stderr } = new Deno.Command(tool.path, { args, stdout: "null", stderr: "piped" })
      .outputSync();
    if (!success) throw new Error(`openssl ${args[0]} failed: ${new TextDecoder().decode(stderr)}`);
  }
}

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
