import { forwardedLines, NOTHING_RECEIVED, type Received } from "../../mod/http/forwarded.ts";
import { assertEquals } from "../assert.ts";

/** The lines by name, as a proxy at 10.0.0.1 that is believed has them made. */
function lines(received: Partial<Received>, proto = "http"): Record<string, string> {
  const text = forwardedLines("10.0.0.1", "a.test", proto, 1, { ...NOTHING_RECEIVED, ...received });
  return Object.fromEntries(
    text.trimEnd().split("\r\n").map((line) => line.split(": ") as [string, string]),
  );
}

Deno.test("forwardedLines() says in Forwarded what a proxy said in X-Forwarded-*", () => {
  const made = lines({
    forwardedFor: "198.51.100.9, 2001:db8::1, x y",
    forwardedProto: "https",
    forwardedHost: "shop.test:8443",
  });
  assertEquals(
    made["Forwarded"],
    'for=198.51.100.9;host="shop.test:8443";proto=https, for="[2001:db8::1]", for=unknown, ' +
      'for=10.0.0.1;host="a.test";proto=http',
  );
  assertEquals(made["X-Forwarded-For"], "198.51.100.9, 2001:db8::1, x y, 10.0.0.1");
  // Without a client the scheme is all that it said.
  assertEquals(lines({ forwardedProto: "https" })["Forwarded"], 'for=10.0.0.1;host="a.test";proto=https');
});

Deno.test("forwardedLines() says in X-Forwarded-* what a proxy said in Forwarded", () => {
  const made = lines({ forwarded: 'for="[2001:db8::1]:47";proto=https;host="shop.test", for=_x' });
  assertEquals(made["X-Forwarded-For"], "[2001:db8::1]:47, _x, 10.0.0.1");
  assertEquals([made["X-Forwarded-Proto"], made["X-Forwarded-Host"]], ["https", "shop.test"]);
  assertEquals(made["Forwarded"]?.startsWith('for="[2001:db8::1]:47";proto=https'), true);
});

Deno.test("forwardedLines() leaves alone what a proxy says in both", () => {
  const made = lines({
    forwarded: "for=1.2.3.4;proto=http",
    forwardedFor: "5.6.7.8",
    forwardedProto: "https",
  });
  assertEquals(made["X-Forwarded-For"], "5.6.7.8, 10.0.0.1");
  assertEquals(made["X-Forwarded-Proto"], "https");
  assertEquals(made["Forwarded"], 'for=1.2.3.4;proto=http, for=10.0.0.1;host="a.test";proto=http');
});

Deno.test("forwardedLines() takes nothing that would break a line or a quote", () => {
  const made = lines({ forwarded: 'for="a\\"b";proto="x y";host="a\\"b"' });
  assertEquals(made["X-Forwarded-For"], "unknown, 10.0.0.1");
  assertEquals([made["X-Forwarded-Proto"], made["X-Forwarded-Host"]], ["http", "a.test"]);
});
