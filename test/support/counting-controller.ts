// An AbortController by which a test sees who listens.

/** A controller whose signal counts the listeners that are on it. */
export function countingController() {
  const controller = new AbortController();
  const { signal } = controller;
  const listeners = new Set<unknown>();
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...parameters: Parameters<typeof addEventListener>) => {
    listeners.add(parameters[1]);
    addEventListener.apply(signal, parameters);
  };
  signal.removeEventListener = (...parameters: Parameters<typeof removeEventListener>) => {
    listeners.delete(parameters[1]);
    removeEventListener.apply(signal, parameters);
  };
  return { controller, signal, listeners };
}
