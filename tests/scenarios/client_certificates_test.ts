/** What servers are told of clients' certificates, by both engines of TLS. */
import { assertEquals } from "../assert.ts";
import { labTest } from "../lab/tools.ts";
import { Certificates, openssl } from "../net/openssl.ts";
import { freePort, Node } from "./node.ts";

for (const engine of ["openssl", "rustls"]) {
  labTest(
    `run() tells clients of one subject apart by who signed them, with ${engine}`,
    ["openssl"],
    async () => {
      await using made = await Certificates.make();
      await made.issue("shop");
      const names = ["one.test", "two.test"];
      for (const ca of ["first", "second"]) {
        await made.issue(ca, { subject: `/O=Us/CN=${ca}` });
        await made.issue(`of-${ca}`, {
          by: ca,
          client: true,
          subject: "/CN=ann",
          names,
          addresses: ["10.0.0.1"],
        });
      }
      await Deno.writeTextFile(made.path("both.pem"), made.text("first.pem") + made.text("second.pem"));
      const port = freePort();
      const told = ["Subject", "Issuer", "Serial", "Names", "Expires"].map((one) => `$tlsClient${one}`)
        .join("|");
      await using node = await Node.start(
        `
listeners:
  - name: web
    bind: "127.0.0.1:${port}"
    tls:
      certificates: [{ cert: "${made.path("shop.pem")}", key: "${made.path("shop.key")}" }]
      clientAuth: { ca: "${made.path("both.pem")}" }
    routes: [{ respond: { body: "told ${told} end" } }]
log: { access: json }
workers: 1
`,
        { through: () => ["/usr/bin/env", `TANDEM_TLS=${engine === "rustls" ? engine : ""}`] },
      );
      const ask = async (ca: string) => {
        const show = ["-cert", made.path(`of-${ca}.pem`), "-key", made.path(`of-${ca}.key`)];
        const request = "GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n";
        const { text } = await openssl(
          ["s_client", "-connect", `127.0.0.1:${port}`, ...show],
          request,
          " end",
        );
        return /told (.*) end/.exec(text)?.[1];
      };
      for (const ca of ["first", "second"]) {
        const { text } = await openssl([
          "x509",
          "-in",
          made.path(`of-${ca}.pem`),
          "-noout",
          "-serial",
          "-enddate",
        ]);
        const serial = /serial=(\w+)/.exec(text)![1]!;
        const expires = new Date(/notAfter=(.*)/.exec(text)![1]!).toISOString().replace(".000", "");
        const expected = `CN=ann|O=Us,CN=${ca}|${serial}|DNS:one.test,DNS:two.test,IP:10.0.0.1|${expires}`;
        assertEquals(await ask(ca), expected, node.program.text);
        await node.program.line(`"clientIssuer":"O=Us,CN=${ca}","clientSerial":"${serial}"`);
      }
    },
  );
}
