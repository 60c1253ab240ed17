/** HMAC-SHA256 of the runtime: synchronous and a few microseconds, where Web Crypto would be a promise per packet. */
import { createHmac } from "node:crypto";
import type { Hmac } from "./extension.ts";

export const hmacSha256: Hmac = (key, bytes) => createHmac("sha256", key).update(bytes).digest();
