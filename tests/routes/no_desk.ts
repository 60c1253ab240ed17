/** What an admin application is made with whose API nobody asks. */
import { type Desk, Unavailable } from "../../mod/runtime/desk.ts";

const never = () => Promise.reject(new Unavailable("nobody is asked"));
const desk: Desk = { node: never, keeper: never, perform: never, plan: never, sessions: never };

export const NO_API = { version: "0.1.0", desk };
