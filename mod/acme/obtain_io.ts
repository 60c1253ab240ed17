/**
 * One certificate from an authority: order, proof that the name is ours, request, download (RFC 8555 section 7.4).
 *
 * It must not know how a proof reaches clients, or where the certificate goes.
 */
import { X509Certificate } from "node:crypto";
import type { AcmeClient, Answered, Challenge, Order } from "./client_io.ts";
import { Key, sha256 } from "./keys_io.ts";
import { Refusal, refusalOf } from "./refusal.ts";

/** How long an authority may take to look at the proof, and to issue. */
const PATIENCE_MS = 5 * 60_000;
/** Between two looks at something that is not done, if the authority does not say. */
const LOOK_MS = { first: 500, most: 10_000, growth: 1.5 } as const;
/** The names that RFC 8555 and RFC 8737 give the challenges. */
const TYPES = { http: "http-01", tlsAlpn: "tls-alpn-01" } as const;

export interface ObtainEnv {
  readonly client: AcmeClient;
  readonly challenge: keyof typeof TYPES;
  /** Of the account's key. */
  readonly thumbprint: string;
  /** Has whoever asks for the name shown the proof, or (null) nobody any more; resolves when it is so. */
  readonly prove: (name: string, authorization: Uint8Array | null) => Promise<void>;
  /** Rejects when there is to be no certificate any more. */
  readonly wait: (ms: number) => Promise<void>;
  readonly now: () => number;
}

/** The certificate with its chain and its key, both PEM. Rejects with the reason in words. */
export async function obtain(
  name: string,
  replaces: string | null,
  env: ObtainEnv,
): Promise<{ readonly cert: string; readonly key: string }> {
  const { client } = env;
  const { location, body: order } = await placeOrder(name, replaces, client);
  for (const url of order.authorizations) await authorize(name, url, env);
  const key = Key.make();
  const ready = await settled(() => client.orderAt(location), ["pending"], env);
  if (ready.status === "invalid") throw refusalOf("the order", ready.error, 0, null);
  const asked = ready.status === "ready" ? await client.finalize(ready, key.request(name)) : null;
  const done = asked?.body.status === "valid"
    ? asked.body
    : await settled(() => client.orderAt(location), ["ready", "processing"], env);
  if (done.certificate === undefined) throw refusalOf("the order", done.error, 0, null);
  const cert = await client.download(done.certificate);
  return { cert: checked(cert, key, name), key: key.pem };
}

/** An authority that does not take the certificate for replaced, or not twice, issues one all the same. */
async function placeOrder(
  name: string,
  replaces: string | null,
  client: AcmeClient,
): Promise<Answered<Order>> {
  try {
    return await client.order(name, replaces);
  } catch (error) {
    const about = ["alreadyReplaced", "malformed", "serverInternal"];
    if (replaces === null || !(error instanceof Refusal) || !about.includes(error.type)) throw error;
    return await client.order(name, null);
  }
}

async function authorize(name: string, url: string, env: ObtainEnv): Promise<void> {
  const { client, challenge: kind, thumbprint, prove } = env;
  const { body } = await client.authorization(url);
  if (body.status === "valid") return;
  const type = TYPES[kind];
  const challenge = body.challenges.find((one) => one.type === type);
  if (challenge?.token === undefined) {
    throw new Refusal(`the authority offers no ${type} challenge for ${name}`);
  }
  try {
    await prove(name, sha256(`${challenge.token}.${thumbprint}`));
    await client.ready(challenge);
    const over = await settled(() => client.authorization(url), ["pending"], env);
    if (over.status === "valid") return;
    throw refusalOf(`the ${type} challenge`, problemOf(over.challenges), 0, null);
  } finally {
    await prove(name, null);
  }
}

function problemOf(challenges: readonly Challenge[]): unknown {
  return challenges.find(({ error }) => error !== undefined)?.error;
}

/** Looks until the status is none of these. */
async function settled<T extends { readonly status: string }>(
  look: () => Promise<Answered<T>>,
  waiting: readonly string[],
  { now, wait }: ObtainEnv,
): Promise<T> {
  const until = now() + PATIENCE_MS;
  for (let pause: number = LOOK_MS.first;; pause = Math.min(pause * LOOK_MS.growth, LOOK_MS.most)) {
    const { body, retryAfterMs } = await look();
    if (!waiting.includes(body.status)) return body;
    if (now() >= until) throw new Refusal(`the authority is not done: ${body.status}`);
    await wait(Math.min(Math.max(retryAfterMs ?? pause, LOOK_MS.first), until - now() + LOOK_MS.first));
  }
}

function checked(pem: string, key: Key, name: string): string {
  let problem = "it cannot be read";
  try {
    const leaf = new X509Certificate(pem);
    if (leaf.checkHost(name) === undefined) problem = `it is not for ${name}`;
    else if (key.isFor(leaf)) return pem.endsWith("\n") ? pem : `${pem}\n`;
    else problem = "it is for another key";
  } catch {
    // As said above.
  }
  throw new Refusal(`the certificate that the authority gives is of no use: ${problem}`);
}
