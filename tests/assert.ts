/** What tests import their assertions from: the standard library's, with types. */
// @ts-types="./std_assert.d.ts"
export * from "@std/assert";
