/** Every certificate that a configuration names is known, whoever it is for. */
import { certificates as doctorOf } from "../../mod/cli/doctor/host_io.ts";
import { Machine } from "../../mod/cli/doctor/machine_io.ts";
import { certificateFiles } from "../../mod/config/certificate_files_io.ts";
import { certificateReader } from "../../mod/config/certificates_io.ts";
import { namedCertificates } from "../../mod/config/named_certificates.ts";
import { readCertificate } from "../../mod/net/certificate_io.ts";
import { assert, assertEquals } from "../assert.ts";
import { labTest } from "../lab/tools.ts";
import { Certificates } from "../net/openssl.ts";
import { load } from "./reading.ts";

const CONFIG = `
listeners:
  - name: web
    bind: ":443"
    tls: { certificates: [{ cert: shop.pem, key: shop.key }], clientAuth: { ca: clients.pem } }
    pool: app
pools:
  app:
    servers: ["10.0.0.1:443"]
    tls: { ca: [servers.pem, bundle.pem], clientCertificate: { cert: client.pem, key: client.key } }
    check: { type: http, tls: { ca: servers.pem } }
admin: { bind: "127.0.0.1:9900", tls: { cert: admin.pem, key: admin.key } }
`;

labTest("namedCertificates() has those that no listener shows, and no bundles", ["openssl"], async () => {
  await using made = await Certificates.make();
  for (const name of ["shop", "clients", "servers"]) await made.issue(name);
  await made.issue("admin", { days: 19 });
  await made.issue("client", { client: true, subject: "/O=Us/CN=edge", days: 20 });
  await Deno.writeTextFile(made.path("bundle.pem"), made.text("servers.pem").repeat(20));
  const file = made.path("tandem.yaml");
  const [files, certificates] = [certificateFiles(file), certificateReader(file, Date.now)];
  const loaded = await load(CONFIG, { file, files, certificates });
  assert("config" in loaded, JSON.stringify(loaded));
  const { config, files: texts, certificates: tls } = loaded;
  const asked: string[] = [];
  const read = (pem: string) => (asked.push(pem), readCertificate(pem));
  const named = namedCertificates(config, { tls, text: (path) => texts.get(path), read });
  assertEquals(asked.length, new Set(asked).size, "none is read twice");
  assertEquals(named.map(({ use, name }) => [use, name]), [
    ["admin.tls", "admin.test"],
    ["listeners.web.tls.clientAuth.ca", "CN=clients.test"],
    ["pools.app.tls.ca", "CN=servers.test"],
    ["pools.app.tls.clientCertificate", "O=Us,CN=edge"],
    ["pools.app.check.tls.ca", "CN=servers.test"],
  ]);

  const found = await doctorOf(new Machine("n1", file, config, null, false));
  assertEquals(found.map(({ level, text }) => [level, text.split(" ")[0]!]).slice(0, 2), [
    ["ok", "shop.pem"],
    ["warning", made.path("admin.pem")],
  ]);
  assertEquals(found.filter(({ level }) => level === "warning").map(({ fix }) => fix), [
    "renew it; the node sees that by itself",
    "renew it; then tandem reload",
  ]);
});
