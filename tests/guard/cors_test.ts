/** Sharing with pages of other origins: who is named, and what preflights and answers say. */
import { assertEquals } from "../assert.ts";
import type { CorsSnapshot } from "../../mod/config/guard_snapshot.ts";
import { answerRules, Cors } from "../../mod/guard/cors.ts";
import type { GuardRequest } from "../../mod/guard/guard.ts";
import { Origins } from "../../mod/guard/origins.ts";

const CORS: CorsSnapshot = {
  origins: ["https://app.test"],
  methods: ["GET", "PUT"],
  headers: null,
  exposeHeaders: [],
  credentials: false,
  maxAgeSeconds: 600,
};

function preflight(
  more: Partial<CorsSnapshot>,
  headers: Record<string, string>,
  method = "OPTIONS",
): string | null {
  const facts = {
    method,
    host: "a.test",
    path: "/",
    query: "",
    client: "",
    serverName: "",
    header: (name: string) => headers[name] ?? null,
  };
  const request: GuardRequest = { facts, address: "192.0.2.1", ip: null, now: 0 };
  const verdict = new Cors({ ...CORS, ...more }).check(request);
  return verdict?.kind === "answer" ? verdict.answer.fields!.replace(/Vary: .*\r\n$/, "") : null;
}

Deno.test("names() compares origins as they are, names below a domain, and whole expressions", () => {
  const named = (list: string[], ...origins: string[]) =>
    origins.map((origin) => new Origins(list).names(origin));
  assertEquals(
    named(["https://a.test"], "https://a.test", "http://a.test", "https://a.test:8443", "https://xa.test"),
    [
      true,
      false,
      false,
      false,
    ],
  );
  const below = [
    "https://x.a.test",
    "https://x.y.a.test",
    "https://a.test",
    "https://.a.test",
    "https://xa.test",
  ];
  assertEquals(named(["https://*.a.test"], ...below), [true, true, false, false, false]);
  assertEquals(
    named(["~https://(a|b)\\.test"], "https://b.test", "https://b.test.evil.test", "xhttps://b.test"),
    [
      true,
      false,
      false,
    ],
  );
  assertEquals(
    named(["*"], "https://any.test", "null", "https://a.test\r\nX: y", "https://a.test, https://b.test"),
    [
      true,
      true,
      false,
      false,
    ],
  );
  assertEquals(named(["null"], "null", "https://a.test"), [true, false]);
});

Deno.test("check() answers preflights of origins that are named with what is allowed", () => {
  const asked = { origin: "https://app.test", "access-control-request-method": "PUT" };
  assertEquals(
    preflight({}, { ...asked, "access-control-request-headers": "x-a, content-type" }),
    "Access-Control-Allow-Methods: GET, PUT\r\nAccess-Control-Allow-Headers: x-a, content-type\r\nAccess-Control-Max-Age: 600\r\n",
  );
  assertEquals(
    preflight({ headers: ["X-B"] }, { ...asked, "access-control-request-headers": "x-a" }),
    "Access-Control-Allow-Methods: GET, PUT\r\nAccess-Control-Allow-Headers: X-B\r\nAccess-Control-Max-Age: 600\r\n",
  );
  assertEquals(preflight({}, { ...asked, origin: "https://evil.test" }), "");
});

Deno.test("check() lets everything else through", () => {
  assertEquals(preflight({}, { origin: "https://app.test" }), null);
  assertEquals(preflight({}, { "access-control-request-method": "PUT" }), null);
  assertEquals(
    preflight({}, { origin: "https://app.test", "access-control-request-method": "PUT" }, "GET"),
    null,
  );
});

Deno.test("answerRules() name the origin, and vary by it unless everybody is let in", () => {
  const of = (more: Partial<CorsSnapshot>, origin: string | null) => {
    const { set, add } = answerRules({ ...CORS, ...more }, origin);
    return [...set, ...add].map(([name, value]) => `${name}: ${value}`);
  };
  assertEquals(of({ credentials: true, exposeHeaders: ["X-A", "X-B"] }, "https://app.test"), [
    "Access-Control-Allow-Origin: https://app.test",
    "Access-Control-Allow-Credentials: true",
    "Access-Control-Expose-Headers: X-A, X-B",
    "Vary: Origin",
  ]);
  assertEquals(of({}, null), ["Vary: Origin"]);
  assertEquals(of({ origins: ["*"] }, null), ["Access-Control-Allow-Origin: *"]);
});
