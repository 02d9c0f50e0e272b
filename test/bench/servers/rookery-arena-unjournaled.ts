/** The same room without a journal, for the workload that tells what the journal costs. */
import { Arena } from "./rookery-arena.ts";

export class ArenaUnjournaled extends Arena {
  static durability = "none";
}
