/** Invariant: whatever a request and its answer hold, rules make one message of one, with no field that nobody wrote. */
import fc from "fast-check";
import { changesSnapshot, routeSnapshot } from "../../mod/config/route_build.ts";
import { assert, assertEquals } from "../assert.ts";
import { good, listenerWith } from "../config/reading.ts";
import { reply } from "../sim/parties.ts";
import { simulate } from "../sim/world.ts";

const RULES = [
  "headers: { response: { set: { X-Own: '$header(x-a) $query(v)' } } }",
  "routes:",
  "  - match: { path: '/go/*', query: { v: '~(?<all>.*)' } }",
  "    redirect: { to: '/to/*?v=$capture(query.all)&h=$header(x-a)' }",
  "  - match: { path: '/:id/*', query: { v: '~(?<all>(?s:.*))' } }",
  "    pool: app",
  "    rewrite: { path: '/$header(x-a)/:id/*', query: { set: { w: $capture(query.all), x: $uri } } }",
  "    headers:",
  "      request: { set: { X-B: '$capture(query.all)|$capture(path.id)|$query(v)|$cookie(c)' }, replace: { name: X-A, match: '(.)', with: '$1$capture(query.all)' } }",
  "      response: { location: { /: '/$header(x-a)/' }, cookiePath: { /: '/$capture(query.all)/' }, set: { X-C: $responseHeader(x-d) } }",
  "  - { pool: app, rewrite: { host: $header(x-a), replace: { match: '([^/]*)$', with: '$1$header(x-a)' } } }",
];

/** What a client can send as a target, and as the value of a field. */
const target = fc.string({
  unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
})
  .map((text) => text.replaceAll("#", "%0d%0aX-Evil:%201%00"));
const value = fc.string({
  unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)),
})
  .map((text) => text.replaceAll("\x7f", "\t").trim());
const KNOWN = /^(?:host|cookie|forwarded|via|x-(?:a|b|forwarded-(?:for|host|proto)|real-ip|request-id))$/;

Deno.test("rules make one message of one, whatever stands in it", async () => {
  const { listeners: [listener] } = await good(listenerWith(...RULES));
  const routes = listener!.routes.map((route) => routeSnapshot(route, "/", new Map()));
  const rules = changesSnapshot(listener!, new Map());
  fc.assert(
    fc.property(fc.constantFrom("go", "a", ""), target, target, value, value, (first, path, v, a, d) => {
      simulate({ routes, listener: rules, servers: 1 }, (world) => {
        world.servers[0]!.answer = (_, connection) =>
          connection.send(
            reply(200, "hello", `Location: /${d}\r\nSet-Cookie: c=${d}; Path=/${d}\r\nX-D: ${d}\r\n`),
          );
        const client = world.connect();
        client.get(`/${first}/${path}?v=${v}`, `X-A: ${a}\r\nCookie: c=${a}\r\n`).get("/go/on?v");
        world.settle();
        const [status, next] = client.statuses;
        assert(status === 200 || status === 308 || status === 400, `${status}`);
        if (next !== undefined) assertEquals(next, 308);
        const { seen } = world.servers[0]!;
        assertEquals(seen.length, status === 200 ? 1 : 0);
        for (const request of seen) {
          assert(/^GET \/[!-~]* HTTP\/1\.1$/.test(request.line), request.line);
          for (const name of request.headers.keys()) assert(KNOWN.test(name), name);
        }
        const answer = client.answers[0]!;
        if (status === 308) assert(/^\/(?!\/)[!-~]*$/.test(answer.headers.get("location")!));
        for (const name of answer.headers.keys()) assert(!name.includes("evil"), name);
      });
    }),
    { numRuns: 300 },
  );
});
