/** What a listener of UDP has of its own. Pure. */
import { z } from "zod";
import { duration, integer } from "./fields.ts";

export const UdpSchema = z.strictObject({
  idle: duration(100).prefault("30s").describe(
    "How long a client may be silent, and be sent nothing, until it is forgotten.",
  ),
  answers: integer(1, 1_000_000).optional().describe(
    "Answers to each datagram of a client, after which it is forgotten: 1 for DNS. Without: only silence ends it.",
  ),
});
