/** The issuer with an authority that a test plays, for what no authority for tests does: limits, and its own wishes. */
import { X509Certificate } from "node:crypto";
import { Issuer, type IssuerSettings } from "../../mod/acme/issuer_io.ts";
import type { IssuerStatus } from "../../mod/acme/issuer_status.ts";
import { base64url, Key } from "../../mod/acme/keys_io.ts";
import { renewalParts } from "../../mod/acme/x509.ts";
import { ACCOUNT_FILE, certificateFile, NEW_RECORD, readRecord, recordFile } from "../../mod/acme/record.ts";
import type { Log } from "../../mod/observe/log.ts";
import { assert, assertEquals } from "../assert.ts";
import { Certificates } from "../net/openssl.ts";
import { labTest } from "../lab/tools.ts";

const CA = "https://ca.test/dir";
const DAY = 24 * 3600_000;
const QUIET = { debug() {}, info() {}, warning() {}, error() {} } as unknown as Log;

type Answer = { status?: number; headers?: Record<string, string>; body?: unknown };

/** Answers by path; what is missing is a nonce. */
class World {
  readonly files = new Map<string, string>();
  readonly asked: string[] = [];
  readonly urls: string[] = [];
  /** What was said with the last request that said something. */
  said: unknown = null;
  readonly answers: Record<string, () => Answer> = {
    "/dir": () => ({
      body: { newNonce: `${CA}/n`, newAccount: `${CA}/a`, newOrder: `${CA}/o`, renewalInfo: `${CA}/r` },
    }),
  };
  now = 1000 * DAY;
  /** Why nothing is stored; empty: it is. */
  refuses = "";
  #changed = Promise.withResolvers<void>();

  readonly issuer = new Issuer({
    log: QUIET,
    now: () => this.now,
    random: () => 0,
    load: (file) => Promise.resolve(this.files.get(file) ?? null),
    store: (file, text) => {
      if (this.refuses !== "") return Promise.reject(new Error(this.refuses));
      this.files.set(file, text);
      this.#changed.resolve();
      return Promise.resolve();
    },
    answer: () => Promise.resolve(),
    onRenewed: () => Promise.resolve(),
  });

  get settings(): IssuerSettings {
    return {
      ...{ directory: CA, challenge: "http", email: null, external: null, names: ["shop.test"] },
      fetch: (url, { body: sent }) => {
        const { pathname } = new URL(url);
        const name = Object.keys(this.answers).find((one) =>
          one === pathname || pathname.startsWith(`${one}/`)
        );
        const last = pathname.startsWith("/dir/r/") ? "/dir/r" : name === "/dir" ? pathname : name;
        this.asked.push(last!);
        this.urls.push(url);
        const { payload = "" } = JSON.parse(String(sent ?? "{}"));
        if (payload !== "") this.said = JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/")));
        const { status = 200, headers = {}, body = {} } = this.answers[last!]?.() ?? {};
        return Promise.resolve(
          new Response(JSON.stringify(body), {
            status,
            headers: { "content-type": "application/problem+json", "replay-nonce": "n", ...headers },
          }),
        );
      },
    };
  }

  /** The record of the name once it is so. */
  async record(wanted: (record: ReturnType<typeof readRecord>) => boolean) {
    while (true) {
      const record = readRecord(this.files.get(recordFile("shop.test")) ?? null);
      if (wanted(record)) return record;
      await this.#changed.promise;
      this.#changed = Promise.withResolvers();
    }
  }
}

Deno.test("Issuer() waits as long as an authority says, and knows it when it starts again", async () => {
  const world = new World();
  world.answers["/dir/a"] = () => ({ status: 201, headers: { location: `${CA}/a/1` } });
  world.answers["/dir/o"] = () => ({
    status: 429,
    headers: { "retry-after": "7200" },
    body: { type: "urn:ietf:params:acme:error:rateLimited", detail: "too many certificates" },
  });
  await world.issuer.configure(world.settings);
  await world.issuer.setActive(true);
  const record = await world.record(({ lastError }) => lastError.includes("rateLimited"));
  assertEquals([record.failures, record.nextAt - world.now], [1, 7_200_000]);
  assert(world.files.has(ACCOUNT_FILE), "the account is kept all the same");
  await world.issuer.close();
  assertEquals(world.issuer.status()[0]!.state, "failing");

  const again = new World();
  for (const [file, text] of world.files) again.files.set(file, text);
  await again.issuer.configure(again.settings);
  await again.issuer.setActive(true);
  assertEquals(again.issuer.status()[0]!.nextAt, record.nextAt);
  await again.issuer.close();
  assertEquals(again.asked, [], "nobody was asked anything");
});

Deno.test("Issuer() makes another account where the stored one is broken, and says what cannot be stored", async () => {
  const world = new World();
  const broken = { directory: CA, url: `${CA}/a/1`, email: null, key: "no key" };
  world.files.set(ACCOUNT_FILE, JSON.stringify(broken));
  world.answers["/dir/a"] = () => ({ status: 201, headers: { location: `${CA}/a/2` } });
  await world.issuer.configure(world.settings);
  await world.issuer.setActive(true);
  await world.record(({ lastError }) => lastError.includes("order"));
  assertEquals(JSON.parse(world.files.get(ACCOUNT_FILE)!).url, `${CA}/a/2`);
  await world.issuer.close();

  const full = new World();
  full.refuses = "Cannot store it: the disk is full";
  await full.issuer.configure(full.settings);
  await full.issuer.setActive(true);
  while (full.issuer.status()[0]!.state !== "failing") await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals(full.issuer.status()[0]!.lastError, full.refuses);
  assertEquals(full.asked, [], "nobody is asked for what could not be kept");
  await full.issuer.close();
});

Deno.test("Issuer() makes another key where its account was deactivated, and none where it was revoked", async () => {
  for (const status of ["deactivated", "refused", "revoked", "valid"]) {
    const world = new World();
    const account = { directory: CA, url: `${CA}/a/1`, email: null, key: Key.make().pem };
    world.files.set(ACCOUNT_FILE, JSON.stringify(account));
    const unauthorized = {
      status: 401,
      body: { type: "urn:ietf:params:acme:error:unauthorized", detail: "this account is not one" },
    };
    world.answers["/dir/o"] = () => unauthorized;
    let asked = 0;
    world.answers["/dir/a"] = () => {
      if (++asked > 1) return { status: 201, headers: { location: `${CA}/a/2` } };
      return status === "refused" ? unauthorized : { headers: { location: `${CA}/a/1` }, body: { status } };
    };
    await world.issuer.configure(world.settings);
    await world.issuer.setActive(true);
    const { lastError } = await world.record(({ failures, lastError }) =>
      failures > 0 && /^the (order|account)/.test(lastError)
    );
    await world.issuer.close();
    const { url, key } = JSON.parse(world.files.get(ACCOUNT_FILE)!);
    const isOther = status === "deactivated" || status === "refused";
    assertEquals(
      [asked, url, key !== account.key],
      isOther ? [2, `${CA}/a/2`, true] : [1, `${CA}/a/1`, false],
    );
    const wanted = status === "revoked"
      ? "the account: the authority has revoked it"
      : "the order: unauthorized";
    assert(lastError.startsWith(wanted), lastError);
  }
});

Deno.test("Issuer() asks nobody before its node is the one", async () => {
  const world = new World();
  await world.issuer.configure(world.settings);
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals([world.asked, world.issuer.active], [[], false]);
  assertEquals(world.issuer.status().map(({ name, state }) => [name, state]), [["shop.test", "waiting"]]);
  await world.issuer.setActive(true);
  await world.record(({ failures }) => failures > 0);
  await world.issuer.close();
  assert(world.asked.length > 0);
});

labTest("Issuer() renews when the authority wants it, and names what is replaced", ["openssl"], async () => {
  await using made = await Certificates.make();
  await made.issue("authority");
  await made.issue("shop", { by: "authority" });
  const world = new World();
  world.now = Date.now();
  const key = Key.make();
  world.files.set(certificateFile("shop.test"), made.text("shop.pem") + made.text("shop.key"));
  world.files.set(
    ACCOUNT_FILE,
    JSON.stringify({ directory: CA, url: `${CA}/a/1`, email: null, key: key.pem }),
  );
  const mine = { ...NEW_RECORD, directory: CA, renewAt: world.now + 60 * DAY };
  world.files.set(recordFile("shop.test"), JSON.stringify(mine));
  const [start, end] = [world.now + DAY, world.now + 2 * DAY];
  const iso = (ms: number) => new Date(ms).toISOString();
  world.answers["/dir/r"] = () => ({
    headers: { "content-type": "application/json", "retry-after": "3600" },
    body: { suggestedWindow: { start: iso(start), end: iso(end) } },
  });
  await world.issuer.configure(world.settings);
  await world.issuer.setActive(true);
  const record = await world.record(({ askAt }) => askAt > 0);
  assertEquals(record.renewAt, start);
  assertEquals(record.askAt, world.now + 3600_000);
  const { issuer, serial } = renewalParts(new X509Certificate(made.text("shop.pem")).raw)!;
  const id = `${base64url(issuer)}.${base64url(serial)}`;
  assertEquals(world.urls.at(-1), `${CA}/r/${id}`);

  world.files.set(recordFile("shop.test"), JSON.stringify({ ...record, renewAt: world.now }));
  await world.issuer.refresh();
  await world.record(({ failures, lastError }) => failures > 0 && lastError.includes("order"));
  assertEquals(world.said, { identifiers: [{ type: "dns", value: "shop.test" }], replaces: id });
  await world.issuer.close();
});

labTest(
  "Issuer() goes back to the authority of its certificates without a new one",
  ["openssl"],
  async () => {
    await using made = await Certificates.make();
    await made.issue("shop", {});
    const world = new World();
    world.now = Date.now();
    const renewAt = world.now + 60 * DAY;
    world.files.set(certificateFile("shop.test"), made.text("shop.pem") + made.text("shop.key"));
    world.files.set(
      recordFile("shop.test"),
      JSON.stringify({ ...NEW_RECORD, directory: CA, renewAt, askAt: renewAt }),
    );
    world.answers["/dir"] = () => ({ status: 404 });
    const typo = { ...world.settings, directory: "https://typo.test/dir" };
    await world.issuer.configure(typo);
    await world.issuer.setActive(true);
    const failed = await world.record(({ failures, lastError }) => failures > 0 && lastError.includes("404"));
    assertEquals([failed.directory, failed.tried, failed.renewAt], [CA, typo.directory, renewAt]);
    while (world.issuer.status()[0]!.state !== "failing") {
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    assertEquals(world.issuer.status()[0]!.nextAt, failed.nextAt);

    const asked = world.asked.length;
    await world.issuer.configure(world.settings);
    const [{ state, nextAt, failures, lastError }] = world.issuer.status() as [IssuerStatus];
    assertEquals([state, nextAt, failures, lastError], ["issued", renewAt, 0, ""]);
    await world.issuer.close();
    assertEquals(world.asked.length, asked, "nobody was asked for another");
  },
);
