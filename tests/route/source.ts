/** Requests and answers for templates, without a connection. */
import { capturesOf } from "../../mod/route/captures.ts";
import type { AnswerSource, RequestSource } from "../../mod/route/variables.ts";

export interface Asked {
  readonly method?: string;
  readonly host?: string;
  /** Path and query. */
  readonly target?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Pattern of the route. */
  readonly path?: string;
  readonly change?: Partial<RequestSource>;
}

/** What is known of a request for `http://h:8080/`, unless said otherwise. */
export function source(
  { method = "GET", host = "h", target = "/", headers = {}, path, change }: Asked = {},
): RequestSource {
  const question = target.indexOf("?");
  const facts = {
    method,
    host,
    path: question < 0 ? target : target.slice(0, question),
    query: question < 0 ? "" : target.slice(question + 1),
    client: "192.0.2.7",
    header: (name: string) => headers[name] ?? null,
  };
  const match = { hosts: [], methods: [], headers: [], query: [], ...(path === undefined ? {} : { path }) };
  return {
    facts,
    authority: `${host}:8080`,
    clientAddress: "192.0.2.7",
    clientPort: 1234,
    listener: "web",
    listenerAddress: "198.51.100.1",
    listenerPort: 8080,
    tls: null,
    requestId: "id-1",
    user: "",
    claim: () => "",
    capture: (name) => capturesOf(match).take(facts).get(name) ?? "",
    ...change,
  };
}

export function answer(status = 200, headers: Readonly<Record<string, string>> = {}): AnswerSource {
  return {
    status,
    pool: "app",
    server: "a",
    serverAddress: "10.0.0.1:8000",
    cacheStatus: "HIT",
    header: (name) => headers[name] ?? null,
  };
}
