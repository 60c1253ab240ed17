/** When the certificates of a node expire, as a metric. Pure. */
import { MS } from "./counter_metrics.ts";
import type { Family, Sample } from "./exposition.ts";
import type { NodeStatus } from "./status.ts";

/** Two of one place and one name (of two kinds of keys, or an authority and its successor) are one: the first to expire. */
export function certificateFamily({ listeners, certificates = [] }: NodeStatus): Family {
  const samples = new Map<string, Sample>();
  const add = (labels: Readonly<Record<string, string>>, expiresAt: number) => {
    const key = JSON.stringify(labels);
    const value = Math.min(expiresAt / MS, samples.get(key)?.value ?? Infinity);
    samples.set(key, { labels, value });
  };
  for (const { name: listener, certificates: shown } of listeners) {
    for (const { name, expiresAt, selfSigned } of shown) if (!selfSigned) add({ listener, name }, expiresAt);
  }
  for (const { use, name, expiresAt } of certificates) add({ use, name }, expiresAt);
  return {
    name: "tandem_certificate_expiry_seconds",
    help: "When the certificate expires, since 1970.",
    type: "gauge",
    samples: [...samples.values()],
  };
}
