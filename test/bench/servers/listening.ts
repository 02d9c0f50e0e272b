/** How the servers that are not Rookery tell that they are ready: with the lines of log that Rookery writes. */

/** @param port that this process listens on */
export function logListening(port: number): void {
  const lines = [
    { level: 30, msg: "listening", process: "server", port },
    { level: 30, msg: "worker ready", process: "server", workerPid: process.pid },
  ];
  for (const line of lines) process.stdout.write(`${JSON.stringify(line)}\n`);
}
