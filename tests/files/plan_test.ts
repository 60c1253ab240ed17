/** Whatever is asked for, only files below the root are ever chosen, and hidden ones only where that is allowed. */
import fc from "fast-check";
import { planAnswer } from "../../mod/files/plan.ts";
import { FileStore } from "../../mod/files/store.ts";
import { assert, assertEquals } from "../assert.ts";
import { SimDisk } from "../sim/disk.ts";
import { FILES } from "../sim/files_route.ts";
import { factsOf } from "./facts.ts";

const OPTIONS = {
  compression: null,
  date: "",
  keepAlive: true,
  minor: 1,
  now: 0,
  wall: 2_000_000_000_000,
  boundary: () => "boundary",
  keepsPopular: true,
};

function disk(): SimDisk {
  return new SimDisk().write("/www/a", "a").write("/www/a.gz", "gz").write("/www/.git/a", "hidden")
    .write("/www/b/index.html", "b").write("/www/b/a", "a").write("/secret/a", "secret").write(
      "/www2/a",
      "secret",
    )
    .link("/www/out", "/secret").link("/www/b/up", "..").link("/www/b/beside", "../../www2")
    .link("/www/b/in", "../a").link("/www/a.br", "/secret/a").special("/www/b/fifo");
}

Deno.test("planAnswer() never chooses a file outside of the root, whatever the path and the candidates", () => {
  const segment = fc.constantFrom(
    ..."a b out up beside in fifo .git .. . secret www2 www a.gz static".split(" "),
    "%2e%2e",
    ".%2e",
    "%2F",
    "..%2f..%2fsecret",
    "",
    "%00",
    "%5c..",
    "index.html",
  );
  const path = fc.array(segment, { maxLength: 6 }).map((segments) => `/${segments.join("/")}`);
  const action = fc.record({
    tryFiles: fc.subarray(["$path", "$path/a", "$path.gz", "$path/../a", "/b/", "/out/a"], { minLength: 1 }),
    stripPrefix: fc.constantFrom("", "/static", "/b"),
    hidden: fc.boolean(),
    precompressed: fc.constantFrom([] as const, ["br", "gzip"] as const),
    listing: fc.boolean(),
  });
  let chosen = 0;
  fc.assert(
    fc.property(path, action, (path, change) => {
      const store = new FileStore(disk());
      const facts = factsOf("GET", path, { "accept-encoding": "br, gzip" });
      const plan = planAnswer({ ...FILES, ...change }, facts, { ...OPTIONS, store });
      if (plan.kind === "page") assert(!plan.html.includes("secret"), path);
      if (plan.kind === "redirect") assert(/^\/[^/\\]/.test(plan.location), plan.location);
      if (plan.kind !== "file") return;
      chosen++;
      const { realPath } = plan.file.entry;
      assert(realPath.startsWith("/www/"), `${path} is ${realPath}`);
      assert(change.hidden || !realPath.includes("/."), `${path} is ${realPath}`);
    }),
    { numRuns: 5000 },
  );
  assert(chosen > 100, `only ${chosen} requests led to a file`);
});

Deno.test("planAnswer() a variant that may not be sent is not sent", () => {
  const store = new FileStore(disk());
  const facts = factsOf("GET", "/a", { "accept-encoding": "br, gzip;q=0.1" });
  const plan = planAnswer({ ...FILES, precompressed: ["br", "gzip"] }, facts, { ...OPTIONS, store });
  assert(plan.kind === "file");
  assertEquals(plan.file.path, "/a.gz");
});
