/** The load of W2: clients in one room who look on. */

export function worldLoad(clients: number) {
  return { clients, inputsPerSecond: 0, inputBytes: 0, roomSize: clients };
}
