// A tab as a user has it. Playwright's pages are always in front: it tells the browser so, and such pages are never throttled,
// frozen, or kept for the way back.

import type { CDPSession } from '@playwright/test';
import type {} from '../page/lending.ts';

interface Pending {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** Of the DevTools protocol, what a tab says. */
interface TabMessage {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

interface Evaluated {
  readonly result: { readonly value?: unknown };
  readonly exceptionDetails?: { readonly text: string; readonly exception?: { readonly description?: string } };
}

export class Tab {
  /** Console errors and warnings, uncaught exceptions, and what the browser itself complains of. */
  readonly problems: string[] = [];
  readonly crashed: Promise<void>;
  readonly #browser: CDPSession;
  readonly #targetId: string;
  readonly #sessionId: string;
  readonly #pending = new Map<number, Pending>();
  readonly #listeners = new Set<(message: TabMessage) => void>();
  #lastId = 0;

  private constructor(browser: CDPSession, targetId: string, sessionId: string) {
    this.#browser = browser;
    this.#targetId = targetId;
    this.#sessionId = sessionId;
    browser.on('Target.receivedMessageFromTarget', (event) => {
      if (event.sessionId === sessionId) this.#received(JSON.parse(event.message));
    });
    this.crashed = this.heard('Inspector.targetCrashed');
    this.crashed.catch(() => {});
  }

  /** Opens a tab in front of the others of this browser context. */
  static async open(browser: CDPSession, browserContextId: string, url: string): Promise<Tab> {
    const { targetId } = await browser.send('Target.createTarget', { url: 'about:blank', browserContextId });
    // Through its parent's session: the only way that is open to a session which Playwright hands out.
    const { sessionId } = await browser.send('Target.attachToTarget', { targetId, flatten: false });
    const tab = new Tab(browser, targetId, sessionId);
    for (const domain of ['Page', 'Runtime', 'Log', 'Inspector', 'Network']) await tab.send(`${domain}.enable`);
    await tab.goto(url);
    return tab;
  }

  send(method: string, params: object = {}): Promise<unknown> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      const message = JSON.stringify({ id, method, params });
      this.#browser.send('Target.sendMessageToTarget', { sessionId: this.#sessionId, message }).catch(reject);
    });
  }

  /** Resolves when the tab tells of this. */
  heard(method: string, matches: (params: never) => boolean = () => true): Promise<void> {
    return new Promise((resolve) => {
      const listener = (message: TabMessage) => {
        if (message.method !== method || !matches(message.params as never)) return;
        this.#listeners.delete(listener);
        resolve();
      };
      this.#listeners.add(listener);
    });
  }

  async goto(url: string): Promise<void> {
    const loaded = this.heard('Page.loadEventFired');
    await this.send('Page.navigate', { url });
    await loaded;
  }

  /** Calls a function in the page; it sees nothing of the test but `arg`. */
  async evaluate<R, A>(body: (arg: A) => R | Promise<R>, arg?: A): Promise<R> {
    const expression = `(${body})(${JSON.stringify(arg)})`;
    const options = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = (await this.send('Runtime.evaluate', options)) as Evaluated;
    if (exceptionDetails !== undefined)
      throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value as R;
  }

  /** Goes back in the tab's history; resolves when the page before is shown. */
  async goBack(): Promise<void> {
    const shown = this.heard('Page.frameNavigated');
    // The page may be gone before it can answer.
    this.evaluate(() => history.back()).catch(() => {});
    await shown;
  }

  async crash(): Promise<void> {
    // Nobody is left to answer.
    this.send('Page.crash').catch(() => {});
    await this.crashed;
  }

  async freeze(): Promise<void> {
    await this.send('Page.setWebLifecycleState', { state: 'frozen' });
  }

  async thaw(): Promise<void> {
    await this.send('Page.setWebLifecycleState', { state: 'active' });
  }

  async setOffline(offline: boolean): Promise<void> {
    const unthrottled = { latency: 0, downloadThroughput: -1, uploadThroughput: -1 };
    await this.send('Network.emulateNetworkConditions', { offline, ...unthrottled });
  }

  /** Where the page's worker stands. */
  state(): Promise<string> {
    return this.evaluate(() => window.lending.worker.state);
  }

  /** For each connection of the page's worker that was welcomed, whether it resumed the session before. */
  connections(): Promise<boolean[]> {
    return this.evaluate(() =>
      window.lending.events.flatMap((event) => (event.type === 'connected' ? [event.isResumed] : [])),
    );
  }

  /** How the page's attempts ended, in order. */
  settled(): Promise<string[]> {
    return this.evaluate(() =>
      window.lending.events.flatMap((event) => (event.type === 'taskSettled' ? [event.outcome] : [])),
    );
  }

  /** Lets so many tasks end that hold. */
  openGates(count: number): Promise<void> {
    return this.evaluate((gates) => {
      for (let n = 0; n < gates; n += 1) window.lending.openGate(`gate ${n}`);
    }, count);
  }

  async close(): Promise<void> {
    await this.#browser.send('Target.closeTarget', { targetId: this.#targetId });
  }

  /** Takes problems that a test brings about itself off the list. */
  forgive(pattern: RegExp): void {
    this.problems.splice(0, Infinity, ...this.problems.filter((problem) => !pattern.test(problem)));
  }

  #received(message: TabMessage): void {
    if (message.id !== undefined) {
      const pending = this.#pending.get(message.id);
      this.#pending.delete(message.id);
      if (message.error === undefined) pending?.resolve(message.result);
      else pending?.reject(new Error(message.error.message));
      return;
    }
    this.#noteProblem(message);
    for (const listener of this.#listeners) listener(message);
  }

  #noteProblem({ method, params }: TabMessage): void {
    const problem = method === undefined ? undefined : problemOf(method, params);
    if (problem !== undefined) this.problems.push(problem);
  }
}

function problemOf(method: string, params: unknown): string | undefined {
  if (method === 'Runtime.exceptionThrown') return `uncaught: ${JSON.stringify(params)}`;
  if (method === 'Runtime.consoleAPICalled') {
    const { type } = params as { type: string };
    return type === 'error' || type === 'warning' ? `console: ${JSON.stringify(params)}` : undefined;
  }
  if (method === 'Log.entryAdded') {
    const { level, text } = (params as { entry: { level: string; text: string } }).entry;
    return level === 'error' || level === 'warning' ? `${level}: ${text}` : undefined;
  }
  return undefined;
}
