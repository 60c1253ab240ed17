/**
 * What is asked beside `beside`: some ten milliseconds of computing. A function of Tandem's, and what `deno serve` runs
 * behind the others.
 */
const ROUNDS = 3_000_000;

export default {
  fetch(): Response {
    let sum = 0;
    for (let round = 0; round < ROUNDS; round++) sum += Math.sqrt(round);
    return new Response(`${sum}\n`);
  },
};
