/** What an admin application is made with whose API nobody asks. */
import { noDesk } from "../../mod/runtime/desk.ts";

export const NO_API = { version: "0.1.0", desk: noDesk("nobody is asked") };
