/** Certificates made by openssl when a test asks for them, in a directory of its own. */
import { basename } from "node:path";

export interface CertificateWishes {
  /** DNS names; the first is the common name too. */
  readonly names?: readonly string[];
  /** IP addresses that it is for too. */
  readonly addresses?: readonly string[];
  readonly days?: number;
  readonly kind?: "ec" | "rsa" | "p521" | "ed25519";
  /** Signed by this one of the same directory; without: by itself. */
  readonly by?: string;
  /** For clients and not for servers. */
  readonly client?: boolean;
  readonly subject?: string;
}

const KINDS = {
  ec: ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
  p521: ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-521"],
  rsa: ["-newkey", "rsa:2048"],
  ed25519: ["-newkey", "ed25519"],
};

/** A directory of certificates: NAME.pem and NAME.key. */
export class Certificates implements AsyncDisposable {
  private constructor(readonly directory: string) {}

  static async make(): Promise<Certificates> {
    return new Certificates(await Deno.makeTempDir({ prefix: "tandem-certificates-" }));
  }

  path(name: string): string {
    return `${this.directory}/${name}`;
  }

  text(name: string): string {
    return Deno.readTextFileSync(this.path(name));
  }

  async issue(name: string, wishes: CertificateWishes = {}): Promise<void> {
    const { names = [`${name}.test`], addresses = [], days = 90, kind = "ec", by, client = false, subject } =
      wishes;
    const sans = [...names.map((each) => `DNS:${each}`), ...addresses.map((each) => `IP:${each}`)].join(",");
    const extensions = by === undefined && !client ? [] : [
      "-addext",
      "basicConstraints=critical,CA:FALSE",
      "-addext",
      `extendedKeyUsage=${client ? "clientAuth" : "serverAuth"}`,
    ];
    await openssl([
      "req",
      "-x509",
      "-nodes",
      ...KINDS[kind],
      "-keyout",
      this.path(`${name}.key`),
      "-out",
      this.path(`${name}.pem`),
      "-days",
      String(days),
      "-subj",
      subject ?? `/CN=${names[0] ?? name}`,
      ...(names.length === 0 ? [] : ["-addext", `subjectAltName=${sans}`]),
      ...extensions,
      ...(by === undefined ? [] : ["-CA", this.path(`${by}.pem`), "-CAkey", this.path(`${by}.key`)]),
    ]);
  }

  /** A certificate for clients, signed by `by`, that has expired long ago. */
  async issueExpired(name: string, by: string): Promise<void> {
    await this.issue(name, { client: true });
    const request = ["req", "-new", "-key", this.path(`${name}.key`), "-subj", `/CN=${name}`];
    await openssl([...request, "-out", this.path(`${name}.csr`)]);
    const config = `[ca]
default_ca = this
[this]
new_certs_dir = ${this.directory}
database = ${this.path("index.txt")}
rand_serial = yes
default_md = sha256
policy = any
x509_extensions = client
[any]
commonName = supplied
[client]
extendedKeyUsage = clientAuth
`;
    await Deno.writeTextFile(this.path("index.txt"), "");
    await Deno.writeTextFile(this.path("ca.conf"), config);
    const signer = ["-cert", this.path(`${by}.pem`), "-keyfile", this.path(`${by}.key`)];
    const dates = ["-startdate", "20200101000000Z", "-enddate", "20210101000000Z"];
    const files = ["-in", this.path(`${name}.csr`), "-out", this.path(`${name}.pem`)];
    await openssl([
      "ca",
      "-batch",
      "-notext",
      "-config",
      this.path("ca.conf"),
      ...signer,
      ...dates,
      ...files,
    ]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.directory, { recursive: true });
  }
}

/** A peer that neither answers nor ends will not any more. */
const PATIENCE_MS = 10_000;

/** Runs openssl to its end, or until it has said `until`; what it writes, both ways. */
export async function openssl(
  args: readonly string[],
  input = "",
  until = "",
): Promise<{ success: boolean; text: string }> {
  const child = new Deno.Command("openssl", {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input)).catch(() => {});
  const end = () => writer.close().catch(() => {});
  // s_client ends with its input, and an answer takes a moment.
  const patience = until === "" ? void end() : setTimeout(end, PATIENCE_MS);
  let text = "";
  const listen = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
      text += piece;
      if (until !== "" && text.includes(until)) void end();
    }
  };
  await Promise.all([listen(child.stdout), listen(child.stderr)]);
  clearTimeout(patience);
  await end();
  const { success } = await child.status;
  if (!success && args[0] !== "s_client") throw new Error(`openssl ${basename(args[0] ?? "")}: ${text}`);
  return { success, text };
}
