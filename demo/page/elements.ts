// The page's elements, found by id and checked to be what the code takes them for.

/** Stands where a figure is not known. */
export const UNKNOWN = '–';

export function element<Type extends Element>(
  id: string,
  type: abstract new (...args: never[]) => Type,
  root: ParentNode = document,
): Type {
  return expectElement(root.querySelector(`#${id}`), type, `#${id}`);
}

/** The only element with this class inside `root`. */
export function part<Type extends Element>(
  root: ParentNode,
  className: string,
  type: abstract new (...args: never[]) => Type,
): Type {
  return expectElement(root.querySelector(`.${className}`), type, `.${className}`);
}

/** Sets an element's text; leaves alone what is right already, so that no screen reader says it twice. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) {
    target.textContent = text;
  }
}

function expectElement<Type extends Element>(
  found: Element | null,
  type: abstract new (...args: never[]) => Type,
  selector: string,
): Type {
  if (!(found instanceof type)) {
    throw new Error(`The page has no ${selector} that is a ${type.name}`);
  }
  return found;
}
