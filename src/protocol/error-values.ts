// Errors within tasks and results, as both codecs write them: name, message, cause.

export function errorToArray(error: Error): [name: string, message: string, cause: unknown] {
  return [error.name, error.message, error.cause];
}

/** @throws TypeError if the peer sent something else */
export function errorFromArray(value: unknown): Error {
  if (!Array.isArray(value)) throw new TypeError('a malformed error');
  const [name, message, cause] = value;
  const error = new Error(String(message), cause === undefined ? undefined : { cause });
  error.name = String(name);
  return error;
}
