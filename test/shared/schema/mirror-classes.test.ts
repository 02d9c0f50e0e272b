/** Mirrors of one schema share what is made for it, and no more than a few schemas are remembered. */
import { expect, test } from "vitest";
import { describe as describeSchema, entity, map, SchemaError, u8 } from "../../../shared/schema/index.ts";
import { classesOf } from "../../../shared/schema/mirror-classes.ts";

function descriptorOf(field: string) {
  const Item = entity({ [field]: u8 }, "Item");
  return describeSchema(entity({ items: map(Item) }, "State"));
}

test("equal descriptions have the same classes, others have their own", () => {
  const classes = classesOf(descriptorOf("a"));
  expect(classesOf(descriptorOf("a"))).toBe(classes);
  expect(classesOf(descriptorOf("b"))).not.toBe(classes);
  expect(classesOf(descriptorOf("b")).shapes[1]?.fields[0]?.name).toBe("b");
});

test("of many schemas, those that were used last are remembered", () => {
  const first = classesOf(descriptorOf("first"));
  const second = classesOf(descriptorOf("second"));
  for (let i = 0; i < 15; i++) {
    classesOf(descriptorOf(`other${i}`));
    expect(classesOf(descriptorOf("first"))).toBe(first);
  }
  expect(classesOf(descriptorOf("second"))).not.toBe(second);
});

test("what is no description is refused each time", () => {
  for (const strange of [undefined, null, {}, [["State", [["x", "u128"]]]]]) {
    for (let times = 0; times < 2; times++)
      expect(() => classesOf(strange as unknown as ReturnType<typeof descriptorOf>)).toThrow(SchemaError);
  }
});
