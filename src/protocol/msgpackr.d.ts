// The build of msgpackr without `new Function` has the same interface as the default one, but ships no types; and the
// published types know less of extensions than msgpackr's own use.
declare module 'msgpackr/index-no-eval' {
  export { Packr } from 'msgpackr';

  /** Reserves so many bytes of what is being written. */
  export type Allocate = (byteLength: number) => { readonly target: Uint8Array; readonly position: number };

  /** How values of a class are written, either by hand or as another value, and read again. */
  export type Extension<Value> = { readonly Class: abstract new (...args: never[]) => Value } & (
    | { readonly type: number; pack(value: Value, allocate: Allocate): void; unpack(payload: Uint8Array): unknown }
    | { readonly type: number; write(value: Value): unknown; read(written: unknown): unknown }
    | { write(value: Value): never }
  );

  export function addExtension<Value>(extension: Extension<Value>): void;
}
