// Moves typed arrays out of a thread instead of copying them.
import { kindOf } from '../views.ts';

/** A value ready to be posted, and the buffers in it that can move. */
export interface Transfer {
  readonly value: unknown;
  readonly buffers: ArrayBuffer[];
}

/**
 * Finds the buffers in plain objects and arrays. A view of a part of a buffer is replaced by a copy of that part, as
 * the whole buffer would travel with it otherwise: a Buffer from Node's pool, a corner of a WebAssembly memory.
 */
export function transferOf(value: unknown): Transfer {
  const buffers = new Set<ArrayBuffer>();
  /** What each object is replaced by: the same wherever it stands. Itself, while it is visited: cycles stay as they are. */
  const seen = new Map<object, object>();

  function visit(inner: unknown): unknown {
    if (typeof inner !== 'object' || inner === null) return inner;
    const known = seen.get(inner);
    if (known !== undefined) return known;
    seen.set(inner, inner);
    const replacement = visitObject(inner);
    seen.set(inner, replacement);
    return replacement;
  }

  function visitObject(object: object): object {
    if (object instanceof ArrayBuffer) buffers.add(object);
    if (ArrayBuffer.isView(object)) return visitView(object);
    if (Array.isArray(object)) return replaceChanged(object, object.map(visit));
    if (!isPlain(object)) return object;
    const entries = Object.entries(object);
    const visited = entries.map(([key, each]) => [key, visit(each)] as const);
    const isSame = visited.every(([, each], index) => each === entries[index]?.[1]);
    return isSame ? object : Object.fromEntries(visited);
  }

  function visitView(view: ArrayBufferView): ArrayBufferView {
    const { buffer, byteOffset, byteLength } = view;
    // Shared memory is not moved: both sides go on to see it.
    if (!(buffer instanceof ArrayBuffer)) return view;
    if (byteLength === buffer.byteLength) {
      buffers.add(buffer);
      return view;
    }
    const View = kindOf(view);
    if (View === undefined) return view;
    const copy = buffer.slice(byteOffset, byteOffset + byteLength);
    buffers.add(copy);
    return new View(copy);
  }

  return { value: visit(value), buffers: [...buffers] };
}

function replaceChanged(before: readonly unknown[], after: readonly unknown[]): readonly unknown[] {
  return after.every((each, index) => each === before[index]) ? before : after;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
