/** What is told of something that was thrown: an error's message, or whatever it is. Pure. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
