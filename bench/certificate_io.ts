/** The certificate that all products show: ECDSA with P-256, made by openssl for one run of the benchmark. */
import { requireTool } from "../tests/lab/tools.ts";

export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
  /** Both in one, as HAProxy wants it. */
  readonly both: string;
}

/** Makes it unless the directory has it already. */
export async function certificateIn(directory: string): Promise<CertificateFiles> {
  const files = {
    cert: `${directory}/bench.pem`,
    key: `${directory}/bench.key`,
    both: `${directory}/bench.both.pem`,
  };
  if (await Deno.stat(files.both).then(() => true, () => false)) return files;
  const openssl = requireTool("openssl");
  if ("skip" in openssl) throw new Error(`Cannot make a certificate: ${openssl.skip}`);
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
  const subject = ["-subj", "/CN=bench.test", "-addext", "subjectAltName=DNS:bench.test", "-days", "30"];
  const args = ["req", "-x509", "-nodes", ...kind, ...subject, "-keyout", files.key, "-out", files.cert];
  const { success, stderr } = await new Deno.Command(openssl.path, { args, stdin: "null" }).output();
  if (!success) throw new Error(`Cannot make a certificate: ${new TextDecoder().decode(stderr)}`);
  await Deno.writeTextFile(
    files.both,
    await Deno.readTextFile(files.cert) + await Deno.readTextFile(files.key),
  );
  return files;
}
