import { NEW_RECORD } from "../../mod/acme/record.ts";
import { type CertificateOrder, performOrder } from "../../mod/runtime/certificate_orders_io.ts";
import { StoredFiles } from "../../mod/runtime/stored_files_io.ts";
import { assert, assertEquals } from "../assert.ts";

const CA = "https://ca.test/dir";
const RENEW: CertificateOrder = { do: "renewCertificate", name: "shop.test" };
const FORGET: CertificateOrder = { do: "forgetCertificate", name: "shop.test" };

async function withFiles(use: (files: StoredFiles) => Promise<void>): Promise<void> {
  const files = new StoredFiles();
  files.directory = await Deno.makeTempDir({ prefix: "tandem-orders-" });
  try {
    await use(files);
  } finally {
    await Deno.remove(files.directory, { recursive: true });
  }
}

const facts = (files: StoredFiles) =>
  ({ files, directory: CA, names: ["shop.test"], active: true, shared: null }) as const;

Deno.test("performOrder() has a certificate renewed although a pause is on, and says who does it", async () => {
  await withFiles(async (files) => {
    const failing = { ...NEW_RECORD, directory: CA, renewAt: 9e14, failures: 3, nextAt: 9e14 };
    await files.store("shop.test.json", JSON.stringify(failing));
    assertEquals(await performOrder(RENEW, facts(files)), { ok: true, warnings: [] });
    const record = JSON.parse((await files.read("shop.test.json"))!.text);
    assertEquals(record, { ...failing, renewAt: 0, nextAt: 0 });
    const backup = await performOrder(RENEW, { ...facts(files), active: false, shared: true });
    assert(backup.ok && backup.warnings.length === 1);
    const alone = await performOrder(RENEW, { ...facts(files), active: false, shared: false });
    assert(!alone.ok && alone.status === 409, "nobody would hear of it");
    const unwanted = await performOrder(RENEW, { ...facts(files), names: [] });
    assert(!unwanted.ok && unwanted.status === 404);
  });
});

Deno.test("performOrder() forgets what is stored of a name, and says what comes of it", async () => {
  await withFiles(async (files) => {
    await files.store("shop.test.pem", "secret");
    await files.store("shop.test.json", "{}");
    assertEquals(await performOrder(FORGET, { ...facts(files), names: [] }), { ok: true, warnings: [] });
    for (const file of ["shop.test.pem", "shop.test.json"]) assertEquals((await files.read(file))!.text, "");
    const again = await performOrder(FORGET, facts(files));
    assert(!again.ok && again.status === 404);
    await files.store("_account.json", "a key");
    const account = await performOrder({ ...FORGET, name: "_account" }, facts(files));
    assert(!account.ok && account.status === 404);
    assertEquals((await files.read("_account.json"))!.text, "a key");
    await files.store("shop.test.pem", "secret");
    const wanted = await performOrder(FORGET, { ...facts(files), shared: false });
    assert(wanted.ok && wanted.warnings.length === 2, JSON.stringify(wanted));
  });
});

Deno.test("StoredFiles() gives up what was forgotten long ago, and does not take it back", async () => {
  await withFiles(async (files) => {
    const old = Date.now() - 91 * 24 * 3600_000;
    await files.store("a.pem", "", old);
    await files.store("b.pem", "");
    assertEquals([...(await files.times()).keys()], ["b.pem"], "another node's is not taken");
    await Deno.utime(`${files.directory}/b.pem`, old / 1000, old / 1000);
    assertEquals([...(await files.times()).keys()], []);
    assertEquals(await files.read("b.pem"), null);
  });
});
