/** The typed face of the standard library's assertions, of which the npm republication has only the code. */
export declare class AssertionError extends Error {}
export declare function assert(expression: unknown, message?: string): asserts expression;
export declare function assertEquals<T>(actual: T, expected: T, message?: string): void;
export declare function assertNotEquals<T>(actual: T, expected: T, message?: string): void;
export declare function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  message?: string,
): asserts actual is T;
export declare function assertAlmostEquals(
  actual: number,
  expected: number,
  tolerance?: number,
  message?: string,
): void;
export declare function assertExists<T>(actual: T, message?: string): asserts actual is NonNullable<T>;
export declare function assertGreater(actual: number, expected: number, message?: string): void;
export declare function assertGreaterOrEqual(actual: number, expected: number, message?: string): void;
export declare function assertLess(actual: number, expected: number, message?: string): void;
export declare function assertLessOrEqual(actual: number, expected: number, message?: string): void;
export declare function assertMatch(actual: string, expected: RegExp, message?: string): void;
export declare function assertNotMatch(actual: string, expected: RegExp, message?: string): void;
export declare function assertStringIncludes(actual: string, expected: string, message?: string): void;
export declare function assertArrayIncludes<T>(
  actual: ArrayLike<T>,
  expected: ArrayLike<T>,
  message?: string,
): void;
export declare function assertObjectMatch(actual: object, expected: object, message?: string): void;
export declare function assertThrows(
  fn: () => unknown,
  errorClass?: abstract new (...args: never[]) => Error,
  messageIncludes?: string,
): Error;
export declare function assertRejects(
  fn: () => PromiseLike<unknown>,
  errorClass?: abstract new (...args: never[]) => Error,
  messageIncludes?: string,
): Promise<Error>;
export declare function fail(message?: string): never;
