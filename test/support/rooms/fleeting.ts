/** A room that is not written down: it dies with its worker. */
import { Echo } from "./echo.ts";

export class Fleeting extends Echo {
  static override durability = "none";
}
