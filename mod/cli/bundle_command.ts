/** `tandem bundle`, which only other commands call: bundles the modules of functions, apart from everything else. */
import { serveBundles } from "../functions/bundle_io.ts";
import type { Command } from "./command.ts";

export const command: Command = {
  summary: "",
  usage: "",
  options: {},
  help: "Started by `tandem run` and `tandem check`; not to be called by hand.",
  run: () => serveBundles(),
};
