// A promise that is settled from outside.

/** Until `Promise.withResolvers` is in every Node that the package is for. */
export function deferred(): { readonly promise: Promise<void>; readonly resolve: (when?: Promise<void>) => void } {
  let resolve = (_when?: Promise<void>): void => {};
  const promise = new Promise<void>((settle) => {
    resolve = (when) => settle(when);
  });
  return { promise, resolve };
}
