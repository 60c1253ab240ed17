import { MAX_SOCKET_PATH } from "../../mod/config/schema.ts";
import { type AdminPathFacts, adminSocketPath } from "../../mod/runtime/admin_path.ts";
import { assert, assertEquals } from "../assert.ts";

const USER: AdminPathFacts = { configured: "", node: "lb1", uid: 1000, env: () => undefined };

function env(values: Record<string, string>): (name: string) => string | undefined {
  return (name) => values[name];
}

const CASES: [string, Partial<AdminPathFacts>, string][] = [
  ["root", { uid: 0, env: env({ XDG_RUNTIME_DIR: "/run/user/0" }) }, "/run/tandem/lb1.sock"],
  ["a user", { env: env({ XDG_RUNTIME_DIR: "/run/user/1000" }) }, "/run/user/1000/tandem/lb1.sock"],
  ["a user without a session", {}, "/tmp/tandem-1000/lb1.sock"],
  ["a user with a TMPDIR", { env: env({ TMPDIR: "/var/tmp" }) }, "/var/tmp/tandem-1000/lb1.sock"],
  ["a service", { env: env({ RUNTIME_DIRECTORY: "/run/tandem:/run/other" }) }, "/run/tandem/lb1.sock"],
  ["a service of root", { uid: 0, env: env({ RUNTIME_DIRECTORY: "/run/lb" }) }, "/run/lb/lb1.sock"],
  ["a path of the configuration", { configured: "/srv/a.sock" }, "/srv/a.sock"],
  ["a node name with a slash", { uid: 0, node: "../etc/x" }, "/run/tandem/%2E%2E%2Fetc%2Fx.sock"],
  ["a node name of dots", { uid: 0, node: ".." }, "/run/tandem/%2E%2E.sock"],
];

for (const [name, facts, path] of CASES) {
  Deno.test(`adminSocketPath() of ${name}`, () => {
    assertEquals(adminSocketPath({ ...USER, ...facts }), { path });
  });
}

Deno.test("adminSocketPath() refuses a path that does not fit into sun_path", () => {
  const fits = "/" + "a".repeat(MAX_SOCKET_PATH - 1);
  assertEquals(adminSocketPath({ ...USER, configured: fits }), { path: fits });
  assert("problem" in adminSocketPath({ ...USER, configured: fits + "a" }));
  assert("problem" in adminSocketPath({ ...USER, configured: "/" + "€".repeat(40) }));
});
