// What is awaited rather than taken as it is.

/** Whether it is a promise, of whatever library or realm. */
export function isPromiseLike<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
