/** A place on the field or on the screen; y points down. */
export type Point = { readonly x: number; readonly y: number };
