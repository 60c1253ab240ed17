/**
 * Asks the API of another node over the line of the pair, and answers another's questions from the API of this one.
 *
 * Who may ask has been decided where the question came in: the other node trusts whoever has the election's key, and
 * its log says through which node a change came.
 */
import type { z } from "zod";
import { reasonOf } from "../base/reason.ts";
import { logger } from "../observe/log.ts";
import type { AdminApp } from "./admin_server_io.ts";
import { readMessage } from "./file_exchange.ts";
import type { Exchange, PairLine } from "./pair_line_io.ts";
import {
  allowedMs,
  ASKED,
  describeRequest,
  framesOf,
  HEAD,
  noAnswer,
  type PeerAnswer,
  type PeerRequest,
  refusalOf,
} from "./peer_request.ts";
import type { SealedLink } from "./sealed_link_io.ts";

/** The other node gives up sooner, and says why. */
const GRACE_MS = 1000;
const audit = logger("audit");

export interface PeerRequestsOptions {
  readonly line: PairLine;
  /** This node's name. */
  readonly node: string;
  /** The API of this node. */
  readonly api: () => AdminApp;
}

export class PeerRequests {
  readonly #options: PeerRequestsOptions;

  constructor(options: PeerRequestsOptions) {
    this.#options = options;
  }

  /** Asks a node at its address. Never rejects: that it cannot be asked is an answer too (502), which may end in a hint. */
  async ask(node: string, address: string, request: PeerRequest, hint = ""): Promise<PeerAnswer> {
    const answer = await this.#ask(node, address, request).catch((error: unknown) => {
      const reason = reasonOf(error);
      // One that was frozen goes on with what it has been told.
      const later = reason.startsWith("no answer") && request.method !== "GET" ? "; it may do so later" : "";
      return noAnswer(502, `node ${node} at ${address} cannot be asked: ${reason}${later}${hint}`);
    });
    if (request.method === "GET") return answer;
    const what = `${request.by}: on node ${node}: ${describeRequest(request)}`;
    if (answer.status < 400) audit.info(`${what}: done`);
    else audit.warning(`${what}: refused`, { reason: errorIn(answer) });
    return answer;
  }

  /** What another node wants that has said this; null: it wants something else. `from`: its name, or address. */
  exchange(first: unknown, from: string): Exchange | null {
    const said = ASKED.safeParse(first);
    if (!said.success) return null;
    const { request, node } = said.data;
    // Whoever is in between could have led it here.
    const refusal = node === this.#options.node ? null : noAnswer(502, `this is node ${this.#options.node}`);
    return {
      withinMs: allowedMs(request),
      run: async (link) => {
        for (const frame of framesOf(refusal ?? await this.#answer(request, from))) await link.send(frame);
        // Its end says that it has all.
        await link.receive().catch(() => {});
      },
    };
  }

  #ask(node: string, address: string, request: PeerRequest): Promise<PeerAnswer> {
    return this.#options.line.speak(request.role, address, allowedMs(request) + GRACE_MS, async (link) => {
      await link.send(JSON.stringify({ node, request } satisfies z.infer<typeof ASKED>));
      return await receiveAnswer(link);
    });
  }

  async #answer(request: PeerRequest, from: string): Promise<PeerAnswer> {
    const refusal = refusalOf(request);
    if (refusal !== null) return refusal;
    const { method, path, body, by } = request;
    const asked = new Request(`http://localhost/api${path}`, {
      method,
      body,
      ...body === null ? {} : {
        headers: {
          "content-type": "application/json",
          "content-length": String(new TextEncoder().encode(body).length),
        },
      },
    });
    const response = await this.#options.api().fetch(asked, {
      peer: `${by}, through node ${from}`,
      handedOn: true,
    });
    return { status: response.status, body: await response.text() };
  }
}

async function receiveAnswer(link: SealedLink): Promise<PeerAnswer> {
  const { status, pieces } = readMessage(HEAD, await link.receive());
  let body = "";
  for (let piece = 0; piece < pieces; piece++) body += String(JSON.parse(await link.receive()));
  // Whoever asked takes it for JSON.
  JSON.parse(body);
  return { status, body };
}

function errorIn({ status, body }: PeerAnswer): string {
  const { error = `status ${status}` } = JSON.parse(body) as { readonly error?: string };
  return error.replaceAll("\n", "; ");
}
