// One line that tells how far things are, and gives way to the table.
import type { WriteStream } from 'node:tty';

export interface ProgressLine {
  show(text: string): void;
  clear(): void;
}

/** Where nobody watches, e.g. in a log, nothing is shown. */
export function progressLine(stream: WriteStream): ProgressLine {
  if (!stream.isTTY) return { show: () => {}, clear: () => {} };
  const clear = () => stream.write('\r\x1b[K');
  return {
    show: (text) => {
      clear();
      stream.write(text.slice(0, stream.columns - 1));
    },
    clear,
  };
}
