// Known ways to break the library, each of which the simulation must notice, and the first seed that does.

/** @typedef {import('./simulating.mjs').Replacement} Replacement */
/** @typedef {{ name: string; seed: number; replacements: Replacement[] }} Bite */

const PATHS = {
  heldLeases: 'src/master/held-leases.ts',
  intake: 'src/master/intake.ts',
  recall: 'src/master/recall.ts',
  heartbeat: 'src/master/heartbeat.ts',
  hearing: 'src/master/hearing.ts',
  session: 'src/master/session.ts',
  reports: 'src/master/lease-reports.ts',
  attempts: 'src/scheduling/attempts.ts',
  table: 'src/scheduling/task-table.ts',
  record: 'src/scheduling/task-record.ts',
  history: 'src/scheduling/task-history.ts',
  patience: 'src/scheduling/patience.ts',
  executor: 'src/worker/executor.ts',
  run: 'src/worker/run.ts',
  worker: 'src/worker/worker.ts',
  workerSession: 'src/worker/session.ts',
  link: 'src/worker/link.ts',
  conversation: 'src/connection/conversation.ts',
  replay: 'src/connection/replay.ts',
  grants: 'src/master/grants.ts',
  timers: 'src/timer-queue.ts',
  verification: 'src/scheduling/verification.ts',
  verifier: 'src/scheduling/verifier.ts',
};

/**
 * @param {string} name
 * @param {number} seed
 * @param {...[keyof typeof PATHS, string, string]} replacements
 * @returns {Bite}
 */
function bite(name, seed, ...replacements) {
  return { name, seed, replacements: replacements.map(([path, from, to]) => ({ file: PATHS[path], from, to })) };
}

/** @type {readonly Bite[]} */
export const bites = [
  bite(
    'a late answer settles',
    10,
    ['heldLeases', "if (grant.state !== 'cancelled') this.#reports.answered", 'this.#reports.answered'],
    ['heldLeases', 'else if (answer[0] === MessageType.done) this.#reports.late();', ''],
    [
      'attempts',
      'lease instanceof RecordLease && lease.isLive ?',
      'lease instanceof RecordLease && lease.record.state !== "settled" ?',
    ],
  ),
  bite('leases are not given back when a connection ends', 2, [
    'heldLeases',
    "if (grant.state !== 'cancelled') this.#reports.disconnected(grant, code, reason, hasRun && lost < maxLost);",
    '',
  ]),
  bite('a result settles its task twice', 0, [
    'table',
    "this.#settle(record, 'done', undefined);",
    "this.#settle(record, 'done', undefined); this.#settle(record, 'done', undefined);",
  ]),
  bite('what comes back goes to the end of the queue', 1, [
    'record',
    'this.sequence < other.sequence',
    '(this.readySinceMs < other.readySinceMs || (this.readySinceMs === other.readySinceMs && this.sequence < other.sequence))',
  ]),
  bite('priority is ignored', 6, [
    'record',
    'byPriority > 0 || (byPriority === 0 && ',
    '(byPriority === byPriority && ',
  ]),
  bite('attempts are not limited', 1, ['record', 'this.#history.failed >= this.terms.maxAttempts || ', '']),
  bite('deliveries are not limited', 2, ['record', ' || this.#history.lost >= this.terms.maxDeliveries', '']),
  bite('what was lost counts as an attempt that failed', 5, ['attempts', "record.note('lost'", "record.note('failed'"]),
  bite('goodbyes count as losses', 2, ['session', '!this.#isBack && !isGoodbye(code)', 'true']),
  bite('credit is ignored', 0, [
    'intake',
    'return this.credit - this.#held.size;',
    'return this.credit + 2 - this.#held.size;',
  ]),
  bite('a paused worker is granted what its prefetch allows', 4, [
    'intake',
    'concurrency === 0 || isDraining',
    'isDraining',
  ]),
  bite('a master that drains goes on to grant', 7, ['intake', 'concurrency === 0 || isDraining', 'concurrency === 0']),
  bite('timeouts count from the grant', 5, [
    'heldLeases',
    '      this.#setDeadline(grant, nowMs);\n      this.#reports.started(grant);',
    '      this.#setDeadline(grant, grant.grantedAtMs);\n      this.#reports.started(grant);',
  ]),
  bite('timeouts are not watched', 1, [
    'heldLeases',
    'grant.dueMs = fromMs + this.#timeoutOf(grant);',
    'grant.dueMs = Number.POSITIVE_INFINITY;',
  ]),
  bite('nobody is told that a lease was cancelled', 0, [
    'heldLeases',
    'this.#conversation.send([MessageType.cancel, grant.id, reason]);',
    '',
  ]),
  bite('a worker ignores what was cancelled', 0, [
    'workerSession',
    'this.#leases.get(message[1])?.added?.cancel(abortError(',
    'void (abortError(',
  ]),
  bite('a worker ignores what it is asked for', 10, [
    'workerSession',
    'this.#leases.get(message[1])?.added?.recall();',
    '',
  ]),
  bite('what was asked back is given out while it is still held', 0, [
    'heldLeases',
    'this.#conversation.send([MessageType.recall, grant.id]);',
    'this.#conversation.send([MessageType.recall, grant.id]); this.#reports.recalled(grant);',
  ]),
  bite('who does not give back what it is asked for keeps it', 2, [
    'heldLeases',
    'nowMs + this.#recallPatienceMs',
    'Number.POSITIVE_INFINITY',
  ]),
  bite('one hoards what another could do', 80, ['recall', 'leases.recall(grant, nowMs);', '']),
  bite('deadlines are judged right after a stall', 5, ['timers', 'const STALL_MS = 50;', 'const STALL_MS = Infinity;']),
  bite('deadlines are judged right after a second stall', 133, [
    'timers',
    'this.#clock.soon(() => {\n      if (!isCancelled) this.#ring();\n    });',
    'if (!isCancelled) this.#ring();',
  ]),
  bite('a worker answers pings by a timer', 0, [
    'workerSession',
    'this.#conversation.sendNow(heldMs === 0 ? [MessageType.pong, nonce] : [MessageType.pong, nonce, heldMs]);',
    'this.#context.clock.setTimer(10, () => this.#conversation.send([MessageType.pong, nonce]));',
  ]),
  bite('a silent worker is never given up', 2, [
    'heartbeat',
    'if (this.#askedAtMs < heardAtMs) return Number.POSITIVE_INFINITY;',
    'if (this.#askedAtMs > 0) return Number.POSITIVE_INFINITY;',
  ]),
  bite('a silent master is never given up', 0, [
    'workerSession',
    'isInterrupted ? this.#releasedAtMs : this.#silentAtMs;',
    'isInterrupted ? this.#releasedAtMs : Number.POSITIVE_INFINITY;',
  ]),
  bite('there is no wait after a failure', 1, ['attempts', 'record.restsUntilMs = this.#clock.now() + delay;', '']),
  bite('delays are ignored', 2, ['table', 'if (delayMs > 0) record.restsUntilMs = clock.now() + delayMs;', '']),
  bite('what was aborted while it was taken is granted', 10, ['intake', 'if (!lease.isLive) continue;', '']),
  bite('deadlines of tasks are not watched', 1, ['patience', 'alarm.setBy(this.#clock.now() + spanMs);', '']),
  bite('signals are not watched', 2, ['patience', 'if (signal !== undefined) this.#aborts.add(signal, wait);', '']),
  bite('what is settled is still shared', 1, [
    'table',
    'if (terms.idempotencyKey !== undefined) this.#shared.close(terms.idempotencyKey);',
    '',
  ]),
  bite('the second attempt goes on when the first gave a result', 2, [
    'table',
    "if (record.isLeased) this.#revokeAll(record, outcome === 'done' ? 'superseded' : 'aborted');",
    "if (record.isLeased && outcome !== 'done') this.#revokeAll(record, 'aborted');",
  ]),
  bite('a task goes again to who has rejected it', 5, ['attempts', 'this.#backlog.refuse(holder, record);', '']),
  bite('requirements are ignored', 2, [
    'record',
    'return requires === undefined || matches(holder.labels, requires);',
    'return true;',
  ]),
  bite('numbers of attempts come again', 0, ['record', 'let attempt = this.#history.lastAttempt;', 'let attempt = 0;']),
  bite('nobody who waits is served when tasks come back', 0, [
    'table',
    '    this.#context.backlog.add(record);\n    this.#context.serveSoon();',
    '    this.#context.backlog.add(record);',
  ]),
  bite('a slot that came free is not filled', 0, ['hearing', '    intake.freed();\n', '']),
  bite('a worker runs one too many', 0, [
    'executor',
    'this.#active.size < this.#capacity()',
    'this.#active.size <= this.#capacity()',
  ]),
  bite('what does not stop keeps its slot for ever', 1, ['run', 'this.#giveUp.setBy(clock.now() + graceMs);', '']),
  bite('what is called off is not aborted', 0, ['run', 'this.#context?.abort(reason);', '']),
  bite('what runs goes on when its connection is lost', 0, [
    'workerSession',
    'lease.added?.leaveOver(abortError(',
    'void (abortError(',
  ]),
  bite('a worker that is paused keeps what has not started', 28, [
    'worker',
    '    this.#isPaused = true;\n    this.#applyConcurrency();\n    this.#executor.releaseWaiting(this.#concurrency);',
    '    this.#isPaused = true;\n    this.#applyConcurrency();',
  ]),
  bite('a lost connection is not made again', 2, [
    'link',
    'cancel: clock.setTimer(delayMs, () => this.#connect())',
    'cancel() {}',
  ]),
  bite('what is sent while the connection is lost is not kept', 2, [
    'conversation',
    'this.#replay?.keep(frame);',
    'if (this.#socket !== undefined) this.#replay?.keep(frame);',
  ]),
  bite('what was kept is not sent again', 2, [
    'conversation',
    'for (const frame of this.#replay.kept) socket.send(frame);',
    '',
  ]),
  bite(
    'frames are never kept',
    2,
    ['replay', 'if (this.#kept === NONE) this.#kept = [frame];', 'void frame;'],
    ['replay', 'else this.#kept.push(frame);', ''],
  ),
  bite('who tells what has come is blamed for it', 1, [
    'conversation',
    'if (this.#replay === undefined || frames > this.#replay.sent) {',
    'if (frames >= 0) {',
  ]),
  bite('what was kept is sent again twice', 2, [
    'conversation',
    'for (const frame of this.#replay.kept) socket.send(frame);',
    'for (const frame of [...this.#replay.kept, ...this.#replay.kept]) socket.send(frame);',
  ]),
  bite('who comes back says that less has come than has', 2, [
    'conversation',
    'return this.#replay?.received ?? 0;',
    'return Math.max(0, (this.#replay?.received ?? 0) - 1);',
  ]),
  bite('what a session is told while its connection is lost is dropped', 2, [
    'conversation',
    'if (!this.#isOpen) return 0;',
    'if (!this.#isOpen || this.#socket === undefined) return 0;',
  ]),
  bite('what is through while the connection is lost is not answered', 6, [
    'workerSession',
    'this.#conversation.send(toMessage(id, result));',
    'if (!this.#conversation.isInterrupted) this.#conversation.send(toMessage(id, result));',
  ]),
  bite('a session is awaited for ever', 2, [
    'session',
    'const untilMs = this.#context.clock.now() + this.#context.resumeWindowMs;',
    'const untilMs = this.#context.clock.now() + 1_000_000_000;',
  ]),
  bite('a session is not awaited', 2, [
    'session',
    'if (this.leases.live === 0) return false;',
    'if (this.leases.live >= 0) return false;',
  ]),
  bite('a session goes on without its secret', 78, [
    'session',
    '!isSameSecret(secret, this.#secret) || !this.#isOf',
    '!this.#isOf',
  ]),
  bite('who comes back is not pinged', 32, ['session', '    this.heartbeat.start(nowMs);\n', '']),
  bite('attempts are judged while the connection is lost', 2, [
    'heldLeases',
    'const isJudged = !this.#conversation.isInterrupted;',
    'const isJudged = true;',
  ]),
  bite('attempts are judged as soon as their worker is back', 15, ['session', '    this.leases.resumed(nowMs);\n', '']),
  bite(
    'tasks are taken for who is away',
    15,
    ['session', 'return this.#conversation.isOpen && this.#loss === undefined;', 'return this.#conversation.isOpen;'],
    ['session', '    this.intake.interrupt();\n    this.alarm.setBy(untilMs);', '    this.alarm.setBy(untilMs);'],
  ),
  bite('what runs goes on though its master has begun anew', 8, [
    'link',
    "this.#endSession('The master has taken back what it granted before the connection was lost');",
    '',
  ]),
  bite('a worker stops before its master has given it up', 12, [
    'workerSession',
    'return this.#silentAtMs + (this.#master.resume?.window ?? 0);',
    'return this.#silentAtMs;',
  ]),
  bite('a worker goes on with what was given away', 5, [
    'workerSession',
    'return this.#silentAtMs + (this.#master.resume?.window ?? 0);',
    'return this.#silentAtMs + 1_000_000_000;',
  ]),
  bite('a principal is given a task again that it verifies', 9, [
    'verification',
    'this.barred = new Set([...this.#heard, ...this.#running.keys()]);',
    '',
  ]),
  bite('one fewer than a quorum agree', 9, [
    'verification',
    'if (agreement.voters.length >= quorum)',
    'if (agreement.voters.length >= quorum - 1)',
  ]),
  bite('who has proved wrong is trusted on', 1069, [
    'verifier',
    '    this.#trust.reset(principal);\n    this.#checks',
    '    this.#checks',
  ]),
  bite('results of who has proved wrong count on', 109, [
    'verification',
    'agreement.voters = agreement.voters.filter((voter) => voter.principal !== principal);',
    'void agreement;',
  ]),
  bite('who is taken at his word has proved right by it', 249, [
    'verification',
    '?? { result, voters: [] }), result };',
    "?? { result, voters: [] }), result, winners: [{ principal: '@amber', worker: '', workerId: '', identity: 'amber' }] };",
  ]),
  bite('what no quorum can come of any more is not given up', 39, [
    'verifier',
    'this.#context.reject(record, noQuorum(verification));',
    '',
  ]),
];

/** Those that `npm test` tries, as all take minutes. */
export const testedBites = [
  'a late answer settles',
  'leases are not given back when a connection ends',
  'a result settles its task twice',
  'what comes back goes to the end of the queue',
  'attempts are not limited',
  'credit is ignored',
  'a master that drains goes on to grant',
  'timeouts count from the grant',
  'what was asked back is given out while it is still held',
  'deadlines are judged right after a stall',
  'what was kept is not sent again',
  'who tells what has come is blamed for it',
  'a session is awaited for ever',
  'a session goes on without its secret',
  'a principal is given a task again that it verifies',
  'who has proved wrong is trusted on',
].map((name) => {
  const found = bites.find((each) => each.name === name);
  if (found === undefined) throw new Error(`Nothing is broken by the name of: ${name}`);
  return found;
});

/**
 * What the simulation does not notice, as far as was tried: `npm run bite -- --unnoticed` tries again. A master is
 * allowed to be wrong about who runs for a while after a worker has changed its concurrency; nobody comes back six times
 * in one attempt; and a connection that was given up for another one says nothing any more.
 *
 * @type {readonly Bite[]}
 */
export const unnoticed = [
  bite('who lowers its concurrency is blamed for what waits', -1, [
    'heldLeases',
    'for (const grant of this.#grants.turnBack(occupied, running !== undefined)) this.#reports.turnedBack(grant);',
    '',
  ]),
  bite('what is lost again and again has time without end', -1, [
    'grants',
    'if (grant.dueMs >= untilMs || grant.postponed === MAX_POSTPONED) continue;',
    'if (grant.dueMs >= untilMs) continue;',
  ]),
  bite('who was given up for another connection is heard yet', -1, [
    'conversation',
    'if (!this.#isOpen || socket !== this.#socket) return;',
    'if (!this.#isOpen) return;',
  ]),
];
