import { certificateTable } from "../../mod/cli/certificate_table.ts";
import { type CertificateEntry, certificateList } from "../../mod/observe/certificate_list.ts";
import { sampleStatus } from "../observe/sample_status.ts";
import { assertEquals } from "../assert.ts";

const NOW = 1_800_000_000_000;
const DAY = 24 * 3600_000;

Deno.test("certificateList() has the names of ACME first, then files, each with the listeners that show it", () => {
  const { listeners } = sampleStatus();
  const [file] = listeners[0]!.certificates;
  const had = { ...file!, acme: true, name: "api.test", issuer: "CN=R10" };
  const own = { ...had, name: "new.test", selfSigned: true, issuer: "CN=new.test" };
  const name = (name: string, expiresAt: number | null) =>
    ({ name, state: "issued", expiresAt, nextAt: NOW, failures: 0, lastError: "" }) as const;
  const ca = { use: "pools.a.tls.ca", name: "CN=us", issuer: "CN=us", file: "ca.pem", expiresAt: NOW };
  const list = certificateList({
    certificates: [{ ...ca, fingerprint: "cd" }, { ...ca, use: "acme.ca", fingerprint: "cd" }],
    acme: { active: true, names: [name("api.test", NOW + DAY), name("new.test", null)] },
    listeners: [
      { ...listeners[0]!, name: "a", certificates: [file!, had] },
      { ...listeners[0]!, name: "b", certificates: [had, own, file!] },
    ],
  });
  const told = list.map((
    { name, state, issuer, listeners, uses },
  ) => [name, state, issuer, [...listeners, ...uses].join()]);
  assertEquals(told, [
    ["api.test", "issued", "CN=R10", "a,b"],
    ["new.test", "issued", "", "b"],
    ["shop.example.com", "file", "CN=R10,O=Let's Encrypt", "a,b"],
    ["CN=us", "file", "CN=us", "pools.a.tls.ca,acme.ca"],
  ]);
});

Deno.test("certificateTable() shows what an operator looks for, and nothing that a terminal would obey", () => {
  assertEquals(certificateTable([], NOW), "the configuration names no certificate\n");
  const entry: CertificateEntry = {
    ...{ name: "a.test", state: "failing", issuer: "", expiresAt: null, nextAt: NOW + DAY, failures: 1 },
    ...{ lastError: "the order: no\x1b", listeners: ["web"], uses: [] },
  };
  const file: CertificateEntry = {
    ...entry,
    ...{ name: "b.test", state: "file", issuer: "CN=R10", nextAt: null, lastError: "", uses: ["admin.tls"] },
  };
  assertEquals(
    certificateTable([entry, { ...file, expiresAt: NOW - 1 }], NOW),
    `name    state    expires  next attempt  used by        issuer  last error
a.test  failing  -        in 1d         web            -       the order: no?
b.test  file     expired  -             web,admin.tls  CN=R10
`,
  );
});
