/** Has asynchronous work done one piece after another, in the order in which it was asked for. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  take<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#last.then(action);
    // One that failed is its caller's affair, and not that of the next.
    this.#last = result.catch(() => undefined);
    return result;
  }
}
