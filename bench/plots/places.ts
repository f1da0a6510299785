// Puts what is drawn where it belongs in a page, between two comments that stay.

/** @throws RangeError where the page has no such place, or half of one */
export function replacePlace(page: string, name: string, content: string): string {
  const [begin, end] = [`<!-- begin: ${name} -->`, `<!-- end: ${name} -->`];
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new RangeError(`Expected the page to have ${begin} and ${end}, in this order`);
  const trimmed = content.trim();
  const between = trimmed === '' ? '\n' : `\n\n${trimmed}\n\n`;
  return page.slice(0, from + begin.length) + between + page.slice(to);
}
