/** Timers as machines are handed them. */

/** Calls after `ms` milliseconds, unless the answer is called before. */
export function after(ms: number, call: () => void): () => void {
  const timer = setTimeout(call, ms);
  return () => clearTimeout(timer);
}
