/** A route that answers with the files of `/www`, everything else as it is unless said. */
import type { FilesAction, RouteSnapshot } from "../../mod/config/snapshot.ts";

export const FILES: FilesAction = {
  kind: "files",
  root: "/www",
  stripPrefix: "",
  index: ["index.html"],
  tryFiles: ["$path"],
  precompressed: [],
  listing: false,
  hidden: false,
  cacheControl: "",
  types: {},
};

export function filesRoute(change: Partial<FilesAction> = {}): RouteSnapshot {
  return {
    match: { hosts: [], methods: [], headers: [], query: [] },
    action: { ...FILES, ...change },
  };
}
