/** The udp check: datagrams that are sent, and what is expected in those that come back. Pure. */
import { checkKind } from "../check_kind.ts";
import { steps, StepsTalk } from "./tcp.ts";

export const udp = checkKind({
  is: "datagrams",
  fields: { steps },
  expect: {},
  rules({ steps }, complain) {
    if (steps[0]?.send === undefined && steps[0]?.sendHex === undefined) {
      complain("must begin with send", "steps");
    }
    const last = steps.at(-1);
    if (last !== undefined && last.expect === undefined && last.expectHex === undefined) {
      complain("must end with expect: a datagram that is only sent says nothing of the server", "steps");
    }
  },
  apart: true,
  datagrams: () => true,
  talk: ({ steps }) => new StepsTalk(steps),
});
