/** The black-box cases of HTTP/1: smuggling, requests, connections, answers. */
import { ANSWER_CASES } from "./http1_answer_cases.ts";
import type { Case } from "./http1_case.ts";
import { CONNECTION_CASES } from "./http1_connection_cases.ts";
import { REQUEST_CASES } from "./http1_request_cases.ts";
import { SMUGGLING_CASES } from "./http1_smuggling_cases.ts";

export const CASES: readonly Case[] = [
  ...SMUGGLING_CASES,
  ...REQUEST_CASES,
  ...CONNECTION_CASES,
  ...ANSWER_CASES,
];
