/**
 * The names of the pools that the processes of functions are in. Pure, and without a schema: data workers know them too.
 */

const PREFIX = "function:";

/** The name of the pool of a function. */
export function functionPool(name: string): string {
  return PREFIX + name;
}

export function isFunctionPool(name: string): boolean {
  return name.startsWith(PREFIX);
}
