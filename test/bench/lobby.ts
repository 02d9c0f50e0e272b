/** What the rooms of the workloads about joins and memory have in common. */

export const LOBBY_SEATS = 32;
