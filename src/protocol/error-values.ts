// Errors within tasks and results, as both codecs write them: name, message, cause.

/** @throws if its name or message cannot be text, as nobody could read it then */
export function errorToArray(error: Error): [name: string, message: string, cause: unknown] {
  return [String(error.name), String(error.message), error.cause];
}

/** @throws TypeError if its name or message cannot be text */
export function errorFromArray([name, message, cause]: readonly unknown[]): Error {
  const error = withoutStack(() => new Error(String(message), cause === undefined ? undefined : { cause }));
  error.name = String(name);
  return error;
}

/** Makes an error that has no stack: this side's would say nothing, and a frame of 1 MiB can hold 260 000 errors. */
function withoutStack(create: () => Error): Error {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return create();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}
