// Why a connection was closed: the WebSocket close codes of the protocol, in one place.

export const CloseCode = {
  /** Goodbye: the side that closes has nothing running any more and wants its leases returned. */
  goodbye: 1000,
  /** The master stops. What a browser says so of its own accord counts as {@link CloseCode.abnormal}. */
  goingAway: 1001,
  /** The peer closed without a code; never sent, only reported by the local socket. */
  noCode: 1005,
  /** The connection broke; never sent, only reported by the local socket. */
  abnormal: 1006,
  /** A frame was larger than `maxFrameBytes`; sent by the WebSocket layer. */
  frameTooLarge: 1009,
  /** The master has no room for this connection at the moment. */
  tryAgainLater: 1013,
  /** A frame was not an array of valid messages. */
  badFrame: 4400,
  /** The master does not let this worker in: it does not take its token. */
  unauthorized: 4401,
  /** The master's program has sent this worker away. */
  dismissed: 4403,
  /** No subprotocol, or no version, that this master speaks. */
  unsupportedVersion: 4406,
  /** The first message did not come in time. */
  helloTimeout: 4408,
  /** A valid message that is not allowed at this point, or names a lease that was never granted. */
  violation: 4409,
  /** More messages that nobody asked for than the master's `maxMessageRate`. */
  tooManyMessages: 4429,
  /** This side cannot go on, e.g. as a scheduler failed. Not 1011, which a browser may not send. */
  internalError: 4500,
  /** Nothing was heard from the peer for `socketTimeout`; reported locally when the socket is terminated. */
  silent: 4410,
} as const;

/** After these the session has ended as somebody wanted: what the worker ran is not counted as lost with it. */
export function isGoodbye(code: number): boolean {
  return code === CloseCode.goodbye || code === CloseCode.goingAway || code === CloseCode.dismissed;
}

/**
 * After these nobody has said that it is over: the connection was lost, and the session may go on over another one. Besides
 * those that are only reported here, they are what servers in between say of themselves (RFC 6455, section 7.4.1, and
 * IANA's registry of WebSocket close codes): an unexpected condition, a restart, too much load, a bad gateway. Without
 * a code closes a browser that gives a silent peer up, as it cannot cut a connection off.
 */
export function isLoss(code: number): boolean {
  if (code >= 1011 && code <= 1014) return true;
  return code === CloseCode.noCode || code === CloseCode.abnormal || code === CloseCode.silent;
}

/** After these, trying again with the same program cannot help, or is not wanted. */
export function isFinal(code: number): boolean {
  return code === CloseCode.unsupportedVersion || code === CloseCode.unauthorized || code === CloseCode.dismissed;
}

/** A close reason as WebSocket allows it: at most 123 bytes of UTF-8 (RFC 6455, section 5.5). */
export function closeReason(text: string): string {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= 123) return text;
  // `stream` leaves out a character that the cut went through.
  return new TextDecoder().decode(bytes.subarray(0, 123), { stream: true });
}
