/** `tandem ready POOL/SERVER`. */
import { stateCommand } from "./server_io.ts";

export const command = stateCommand("ready");
