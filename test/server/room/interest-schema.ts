/**
 * A schema with spatial maps in the root and in an entity that everybody sees, with things, refs and private fields
 * inside and outside of them.
 */
import {
  entity,
  i16,
  list,
  map,
  optional,
  owner,
  quantised,
  ref,
  string,
  u8,
  u16,
} from "../../../shared/schema/index.ts";

/** Every entity has a label: no other ever has the same, and it changes with each change of the entity. */
const label = string;

export const Item = entity({ label, count: u16, holder: ref(() => Unit), note: owner(string) }, "Item");

export const Unit = entity(
  {
    label,
    x: quantised(0, 100, 0.5),
    y: quantised(0, 100, 0.5),
    hp: u8,
    nick: optional(string),
    target: ref(() => Unit),
    favourite: ref(() => Item),
    route: list(u8),
    secret: owner(optional(string)),
    hand: owner(list(string)),
    enemy: owner(ref(() => Unit)),
    items: map(Item),
    spares: map(Item),
  },
  "Unit",
);

export const Drop = entity({ label, down: i16, right: i16, dropper: ref(() => Unit) }, "Drop");

export const Camp = entity(
  { label, chief: ref(() => Unit), guards: map(Unit, { spatial: ["x", "y"] }), stores: map(Item) },
  "Camp",
);

export const Root = entity({
  label,
  king: ref(() => Unit),
  units: map(Unit, { spatial: ["x", "y"] }),
  drops: map(Drop, { spatial: ["right", "down"] }),
  camps: map(Camp),
  common: map(Item),
});
