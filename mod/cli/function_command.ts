/** `tandem function`, which only the keeper calls: one process of a function. */
import { runFunction } from "../functions/process_io.ts";
import type { Command } from "./command.ts";

export const command: Command = {
  summary: "",
  usage: "",
  options: {},
  help: "Started by `tandem run`; not to be called by hand.",
  run: () => runFunction(new URL("../functions/worker_io.ts", import.meta.url)),
};
