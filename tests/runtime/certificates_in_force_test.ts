/** What the files in force hold is handed on when it has changed, and only then: it may be many megabytes. */
import { TlsFiles } from "../../mod/config/certificates.ts";
import { CertificatesInForce } from "../../mod/runtime/certificates_in_force_io.ts";
import { assertEquals } from "../assert.ts";
import { good, SMALLEST } from "../config/reading.ts";

Deno.test("CertificatesInForce() has files kept when they are others, not with every live change", async () => {
  const [config, changed] = [await good(SMALLEST), await good(SMALLEST)];
  const kept: string[] = [];
  const log = { debug() {}, info() {}, warning() {}, error() {} };
  const inForce = new CertificatesInForce({
    ...{ file: "/nowhere/tandem.yaml", node: "n1", env: () => undefined, log },
    ...{ store: () => Promise.resolve(), rebuild: () => Promise.resolve([]) },
    hold: (text) => void kept.push(text),
    current: () => null,
    inOrder: (change) => change(),
  });
  const texts = new Map([["page.html", "sorry"]]);
  inForce.configure(config, new TlsFiles(), texts);
  assertEquals(kept.length, 1);
  inForce.configure(changed, inForce.files, texts);
  assertEquals(kept.length, 1);
  inForce.configure(config, inForce.files, new Map([["page.html", "other"]]));
  inForce.configure(config, new TlsFiles(), texts);
  assertEquals(kept.map((text) => JSON.parse(text).texts[0][1]), ["sorry", "other", "sorry"]);
  inForce.close();
});
