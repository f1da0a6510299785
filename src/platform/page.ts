// The page that a worker lives in, if it lives in one.
import type { PageListener, WatchPage } from '../ports.ts';

/** Watches the page's life; does nothing where there is no page, as in Node or in a Web Worker. */
export const watchPage: WatchPage = (listener: PageListener) => {
  if (typeof window === 'undefined' || typeof document === 'undefined') return () => {};
  const hidden = (): void => listener.hidden();
  const shown = (): void => listener.shown();
  const online = (): void => listener.online();
  window.addEventListener('pagehide', hidden);
  window.addEventListener('pageshow', shown);
  window.addEventListener('online', online);
  return () => {
    window.removeEventListener('pagehide', hidden);
    window.removeEventListener('pageshow', shown);
    window.removeEventListener('online', online);
  };
};
