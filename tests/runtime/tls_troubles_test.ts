import { TlsTroubles } from "../../mod/runtime/tls_troubles.ts";
import { assertEquals } from "../assert.ts";

const trouble = (slot: number, reason: string) => ({ pool: "app", server: `s${slot}`, slot, reason });

Deno.test("TlsTroubles logs a server's reason once a minute, and another reason at once", () => {
  const troubles = new TlsTroubles();
  const logged = [
    troubles.note(trouble(1, "expired"), 0),
    troubles.note(trouble(1, "expired"), 59_999),
    troubles.note(trouble(2, "expired"), 59_999),
    troubles.note(trouble(1, "expired"), 60_000),
    troubles.note(trouble(1, "wrong name"), 60_001),
  ];
  assertEquals(logged, [true, false, true, true, true]);
});

Deno.test("TlsTroubles shows what failed within a minute, until the slot is another server's", () => {
  const troubles = new TlsTroubles();
  troubles.note(trouble(1, "expired"), 0);
  troubles.note(trouble(1, "expired"), 30_000);
  assertEquals([troubles.recent(1, 89_999), troubles.recent(1, 90_000), troubles.recent(2, 0)], [
    "expired",
    null,
    null,
  ]);
  troubles.note(trouble(1, "expired"), 100_000);
  troubles.forget(1);
  assertEquals(troubles.recent(1, 100_000), null);
});
