// Comparison with a secret that tells nothing of it by how long it takes.

/** Takes as long whatever the difference: how much of a guess was right cannot be told by the time. */
export function isSameSecret(guess: string, secret: string): boolean {
  let difference = guess.length ^ secret.length;
  for (let index = 0; index < secret.length; index += 1)
    difference |= guess.charCodeAt(index) ^ secret.charCodeAt(index);
  return difference === 0;
}
