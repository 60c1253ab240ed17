/**
 * What a route is matched against.
 *
 * Host, path and method are found by tables (`routes/table.ts`); what is left of a candidate is checked by
 * `condition.ts`. Pure; it must not know how the facts are made: the data plane makes each string only when it is
 * asked for, and the flags of `RouteTable.needs` say beforehand what will never be asked for.
 */

/** One request. Strings are Latin-1: one character a byte, as it came on the wire. */
export interface RequestFacts {
  readonly method: string;
  /** Lower case, no port, no trailing dot. */
  readonly host: string;
  /** As in the request target, still percent-encoded, without the query; `*` for `OPTIONS *`. */
  readonly path: string;
  /** What stands behind the first `?`, raw; empty when there is none. */
  readonly query: string;
  /** Address of the client, or of whom a PROXY header named. */
  readonly client: string;
  /** What the client asked for in TLS that ends here, lower case; absent or empty: nothing. */
  readonly serverName?: string;
  /** Value of a field by lower-case name, several joined by `, ` (RFC 9110, section 5.2); null: absent. */
  header(name: string): string | null;
}

/** Which facts a table can ask for. What is false is never read, by `match` at least: a redirect reads more. */
export interface FactNeeds {
  readonly method: boolean;
  readonly host: boolean;
  readonly path: boolean;
  /** Any other: then method, host and path alone do not always tell the route. */
  readonly more: boolean;
}

export interface RouteTable {
  readonly needs: FactNeeds;
  /** The answer of every match when no fact is needed (index, or -1 for a table without routes); else null. */
  readonly constant: number | null;
  /** Index of the first route, in the order of the configuration, that matches; -1: none. */
  match(facts: RequestFacts): number;
}
