// Who stands behind a holder.
import type { LeaseHolder } from './scheduler.ts';

/** What tells the holders that nobody is named for from those for whom somebody is: one cannot take the other's place. */
const OWN = '#';
const NAMED = '@';

/** What is asked of a holder to know who stands behind it. */
export type Represented = Pick<LeaseHolder<never>, 'id' | 'principal'>;

/** The same for all holders behind whom the same one stands; another one for each holder of whom that is not known. */
export function principalOf({ id, principal }: Represented): string {
  return principal === undefined ? OWN + id : NAMED + principal;
}

/** The id of the one holder that has this principal, if it is not known who stands behind it. */
export function soleHolderOf(principal: string): string | undefined {
  return principal.startsWith(OWN) ? principal.slice(OWN.length) : undefined;
}
