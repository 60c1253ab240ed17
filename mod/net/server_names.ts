/**
 * Which certificate is for a name: exact before wildcard, and the first of the configuration for all others, unless
 * names that nobody knows are refused. A wildcard stands for one label (RFC 9525 section 6.3). Pure.
 */

/** Finds the index of a certificate; -1: none is for this name. Names are lower case, empty: the client gave none. */
export type ChooseByName = (serverName: string) => number;

/** `names[i]` are those of the certificate `i`. */
export function chooseByName(names: readonly (readonly string[])[], strict: boolean): ChooseByName {
  const exact = new Map<string, number>();
  const wildcards = new Map<string, number>();
  for (const [index, list] of names.entries()) {
    for (const name of list) {
      const [map, key] = name.startsWith("*.") ? [wildcards, name.slice(1)] : [exact, name];
      if (!map.has(key)) map.set(key, index);
    }
  }
  const otherwise = strict ? -1 : 0;
  return (serverName) => {
    // A client that gives no name, as for an IP address, can only be shown the first.
    if (serverName === "") return 0;
    const found = exact.get(serverName);
    if (found !== undefined) return found;
    const dot = serverName.indexOf(".");
    return (dot > 0 ? wildcards.get(serverName.slice(dot)) : undefined) ?? otherwise;
  };
}
