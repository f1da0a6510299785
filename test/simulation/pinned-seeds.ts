// Seeds that once found something, and what. They mean what they meant for as long as `plan.ts` and `task.ts` draw the same
// in the same order: whoever changes those lets `npm run soak` and `npm run bite` find them anew.

export const PINNED_SEEDS: readonly (readonly [seed: number, found: string])[] = [
  [133, 'that who stands still again while it catches up judges before it reads'],
  [1346, 'that a worker which computes again while it catches up gives its master up unheard'],
  [60474, 'a referee that holds a master to a recall when a pause has turned back what was taken to run since'],
  [61287, 'a referee that takes a task to wait that was given to one who has left before its grant could'],
];
