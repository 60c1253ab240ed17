/** Ids of servers by a keyed hash: who has seen one knows nothing of the server, nor can he make that of another. */
import { createHmac } from "node:crypto";
import type { MakeServerId } from "./sticky_build.ts";

/** 72 bits in base64url: no two servers of a pool have the same. */
const LENGTH = 12;
/** What the key begins with, so that a secret that serves elsewhere too gives nothing away here. */
const PURPOSE = "tandem server id ";

export const makeServerId: MakeServerId = (address, secret) =>
  createHmac("sha256", PURPOSE + secret).update(address).digest("base64url").slice(0, LENGTH);
