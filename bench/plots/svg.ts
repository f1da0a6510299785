// Writes SVG as text: the same picture is the same bytes.

export type Attributes = Readonly<Record<string, string | number>>;

/** An element on lines of its own, so that a change of a figure is a change of a line. */
export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const opening = `<${name}${Object.entries(attributes).map(attribute).join('')}`;
  if (children.length === 0) return `${opening}/>`;
  return `${opening}>\n${children.join('\n')}\n</${name}>`;
}

/** A text, or another element that holds nothing but text. */
export function text(content: string, attributes: Attributes, name = 'text'): string {
  return `<${name}${Object.entries(attributes).map(attribute).join('')}>${escaped(content)}</${name}>`;
}

/** A tenth of a pixel is more than anybody sees. */
export function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}

/** About how wide a text is: nobody has measured the reader's font. */
export function widthOf(content: string, fontSize: number): number {
  return content.length * fontSize * 0.56;
}

function attribute([name, value]: readonly [string, string | number]): string {
  return ` ${name}="${typeof value === 'number' ? rounded(value) : escaped(value)}"`;
}

function escaped(content: string): string {
  return content.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
